"""Balanced batches: what is in them, what comes when, and that they go on where they stopped."""

import io

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ser_lib.sampling import BalancedBatches


def batches(labels, seed=0, **options):
    return BalancedBatches(labels, generator=torch.Generator().manual_seed(seed), **options)


@given(
    sizes=st.lists(st.integers(1, 12), min_size=1, max_size=5),
    utterances=st.integers(1, 6),
    data=st.data(),
)
def test_every_batch_has_so_many_classes_and_utterances(sizes, utterances, data):
    classes = data.draw(st.integers(1, len(sizes)))
    labels = torch.repeat_interleave(torch.arange(len(sizes)) * 10, torch.tensor(sizes))
    sampler = batches(labels, classes=classes, utterances=utterances)
    passes = [list(sampler) for _ in range(2)]
    assert [len(one) for one in passes] == [len(sampler)] * 2
    assert (len(sampler) - 1) * classes * utterances < len(labels)
    assert len(sampler) * classes * utterances >= len(labels)
    for batch in passes[0] + passes[1]:
        assert len(batch.unique()) == len(batch)
        found, counts = labels[batch].unique(return_counts=True)
        assert len(found) == classes
        expected = [min(utterances, sizes[label // 10]) for label in found.tolist()]
        assert counts.tolist() == expected


def test_none_is_dealt_twice_before_all_have_been_dealt_once():
    labels = torch.tensor([0] * 10 + [1] * 3)
    sampler = batches(labels, utterances=4)
    dealt = []
    while len(dealt) < 20:
        dealt += [i for batch in sampler for i in batch.tolist() if i < 10]
    # In hands of four from packs of ten: by 12 all have come, none more than twice.
    assert set(dealt[:12]) == set(range(10))
    counts = torch.bincount(torch.tensor(dealt[:20]), minlength=10)
    assert counts.tolist() == [2] * 10


def test_a_small_class_gives_all_it_has():
    labels = torch.tensor([0] * 9 + [1] * 2)
    for batch in batches(labels, utterances=4):
        assert sorted(batch.tolist())[4:] == [9, 10]


def test_the_seed_decides():
    labels = torch.arange(60) % 3
    first, again, other = (
        [batch.tolist() for batch in batches(labels, seed, utterances=4)] for seed in (1, 1, 2)
    )
    assert first == again != other


def test_goes_on_from_a_checkpoint():
    labels = torch.arange(61) % 4
    whole = batches(labels, classes=3, utterances=4)
    assert len(list(whole)) == 6
    file = io.BytesIO()
    torch.save(whole.state_dict(), file)
    expected = [batch.tolist() for _ in range(3) for batch in whole]
    file.seek(0)
    resumed = batches(labels, seed=9, classes=3, utterances=4)
    resumed.load_state_dict(torch.load(file, weights_only=True))
    assert [batch.tolist() for _ in range(3) for batch in resumed] == expected
    with pytest.raises(ValueError, match="other labels"):
        batches(labels[:20], utterances=4).load_state_dict(whole.state_dict())


@pytest.mark.parametrize(
    ("labels", "options", "message"),
    [
        (torch.zeros(0), {"utterances": 2}, r"shape \(0,\)"),
        (torch.zeros(3), {"utterances": 0}, "utterances is 0"),
        (torch.zeros(3), {"utterances": 2, "classes": 2}, "classes is 2, there are 1"),
        (torch.zeros(3), {"utterances": 2, "classes": 0}, "classes is 0"),
    ],
)
def test_refuses(labels, options, message):
    with pytest.raises(ValueError, match=message):
        batches(labels, **options)
