"""Shared facts of Azure products: clouds, regions, ARM ids and private-endpoint records. It is not a product."""
