"""What tests of several networks use."""

import torch


def count(network: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())
