"""Facts and formats that Azure products share: clouds, regions, ARM ids and private-endpoint records. It is not a product."""
