"""Memory is counted at its peak."""

import torch

from ser_lib.bench.timing import peak_memory


def test_peak_counts_what_a_step_allocates():
    def step():
        held = torch.zeros(2**18)  # 1 MiB
        del held
        torch.zeros(2**17)

    assert 2**20 <= peak_memory(step, "cpu") < 2**20 + 2**14
