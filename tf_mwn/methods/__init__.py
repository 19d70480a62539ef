"""The methods: a folder for each family, and the registry."""
