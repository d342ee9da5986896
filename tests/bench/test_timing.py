"""Memory is counted at its peak, and the operating system's share of a step is told."""

import os

import torch

from ser_lib.bench.timing import peak_memory, system_share


def test_peak_counts_what_a_step_allocates():
    def step():
        held = torch.zeros(2**18)  # 1 MiB
        del held
        torch.zeros(2**17)

    assert 2**20 <= peak_memory(step, "cpu") < 2**20 + 2**14


def test_the_share_of_the_system():
    """Random bytes come from the system, a sum does not; a step of no time has no share."""
    assert system_share(lambda: os.urandom(2**27)) > 0.6
    assert system_share(lambda: sum(range(10**7))) < 0.4
    assert system_share(lambda: None) == 0
