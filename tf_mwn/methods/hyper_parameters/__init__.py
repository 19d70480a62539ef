"""Learned hyper-parameters of regularisation, optimizer and architecture."""
