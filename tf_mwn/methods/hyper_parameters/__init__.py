"""Hyper-parameters of regularisation, optimizer and architecture."""
