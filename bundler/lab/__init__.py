"""The lab: an upstream with generated packages, repositories and an agent, all marked LAB."""
