"""The loop: it learns, resumes bit for bit, and refuses what does not belong together."""

import copy
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from ser_lib.config import OBJECTIVES
from ser_lib.corpora.base import PAPER_EMOTIONS
from ser_lib.features import Dataset
from ser_lib.losses import CenterLoss, reconstruction_loss, triplet_loss
from ser_lib.training import Run, _seeds, predict, train
from tests.fakes import config, dataset, vector_run, vectors


def same(a, b) -> bool:
    return (
        a.history == b.history
        and [(c.epoch, c.scores) for c in a.choices] == [(c.epoch, c.scores) for c in b.choices]
        and all(
            torch.equal(p, q)
            for p, q in zip(a.network.parameters(), b.network.parameters(), strict=True)
        )
        and torch.equal(a.centers, b.centers)
    )


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_learns(made, objective):
    weights = {"lambda1": 0.01, "lambda2": 300.0}
    trained = train(made, config(made, objective=objective, epochs=12, dropout=0.25, **weights))
    first, last = trained.history[0], trained.history[-1]
    # The noise in the inputs cannot be reconstructed, only the pattern of the emotion.
    for term, name, share in (("S", "softmax", 0.6), ("A", "reconstruction", 0.7)):
        if term in objective.split("+"):
            assert last[f"train_{name}"] < share * first[f"train_{name}"]
        else:
            assert f"train_{name}" not in last
    assert ("train_center" in last) == ("C" in objective)
    if "S" in objective:
        assert max(row["accuracy_class_0"] for row in trained.history) > 0.8


def test_overfits_one_batch(made):
    """Sixteen utterances, no dropout: the loss must go to zero."""
    from torch.nn import functional as F

    from ser_lib.models import ParallelCNN

    torch.manual_seed(0)
    x = torch.from_numpy(made.inputs[:16])
    y = torch.arange(16) % 4  # not the true labels: the batch is learnt by heart
    network = ParallelCNN(4, made.config.shape, dropout=0.0)
    optimizer = torch.optim.Adadelta(network.parameters(), lr=1.0)
    for _ in range(60):
        optimizer.zero_grad()
        loss = F.cross_entropy(network(x).logits, y)
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.02


def test_batch_norm_measured_on_the_training_set(made):
    """The moments are exact, and the training is the one that runs without measuring them."""
    plain = config(made, objective="S+A+C", batch_size=5)
    running = train(made, plain)
    measured = train(made, replace(plain, batch_statistics="training_set"))
    for one, other in zip(running.network.parameters(), measured.network.parameters(), strict=True):
        assert torch.equal(one, other)
    linear, norm, _ = measured.network.embed
    inputs = torch.from_numpy(made.inputs[measured.fold.train])
    scaled = (inputs - inputs.amin((0, 2), keepdim=True)) / (
        inputs.amax((0, 2), keepdim=True) - inputs.amin((0, 2), keepdim=True)
    )
    with torch.no_grad():
        hidden = linear(torch.cat([path(scaled).flatten(1) for path in measured.network.paths], 1))
    torch.testing.assert_close(norm.running_mean, hidden.mean(0), rtol=1e-3, atol=1e-4)
    torch.testing.assert_close(norm.running_var, hidden.var(0), rtol=1e-3, atol=1e-4)
    assert (running.network.embed[1].running_mean - hidden.mean(0)).abs().max() > 0.01
    assert norm.momentum == running.network.embed[1].momentum
    judged = [[row["cross_entropy_0"] for row in run.history] for run in (running, measured)]
    assert all(a != b for a, b in zip(*judged, strict=True))


@pytest.mark.parametrize("kind", ["S+A+C", "A", "softmax", "all", "hard", "random"])
@pytest.mark.parametrize("killed", [1, 3])
def test_resume_equals_uninterrupted(tmp_path, kind, killed):
    if kind in OBJECTIVES:
        made = dataset()
        whole = config(made, objective=kind, epochs=5)
    else:  # killed in the softmax stage, or between the stages (3 epochs of it), or in triplets
        made = vectors()
        epochs = 5 if kind == "softmax" else 2 + killed // 3
        stages = {"triplet_epochs": 0} if kind == "softmax" else {"mining": kind}
        whole = vector_run(made, epochs=epochs, **stages)
    path = tmp_path / "checkpoint.pt"

    class KilledError(Exception):
        pass

    def killed_after(epoch):
        def score(self, losses, original=train.__globals__["Run"].score):
            if self.epoch > epoch:
                raise KilledError
            original(self, losses)

        return score

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ser_lib.training.Run.score", killed_after(killed))
        with pytest.raises(KilledError):
            train(made, whole, checkpoint=path, every=0)
    torch.rand(7)  # whatever happened in between
    assert same(train(made, whole, checkpoint=path), train(made, whole))


def test_same_seed_same_run_other_seed_another(made):
    state = torch.get_rng_state()
    first = train(made, config(made))
    assert torch.equal(torch.get_rng_state(), state)  # the global generator is left alone
    torch.manual_seed(99)
    assert same(train(made, config(made)), first)
    assert not same(train(made, config(made, seed=1)), first)


def test_lambda1_does_not_move_the_centers_by_itself(made):
    """With the network frozen by a tiny rate, the centers do not see their weight in the sum."""
    still = {"objective": "S+C", "learning_rate": 1e-12, "epochs": 1}
    light, heavy = (train(made, config(made, lambda1=w, **still)) for w in (0.001, 5.0))
    torch.testing.assert_close(light.centers, heavy.centers)
    assert torch.count_nonzero(light.centers) > 0


def test_each_part_picks_the_epoch_for_the_other(made):
    trained = train(made, config(made, epochs=6))
    for way, choice in enumerate(trained.choices):
        ranked = [(r[f"accuracy_class_{way}"], -r[f"cross_entropy_{way}"]) for r in trained.history]
        assert choice.epoch == 1 + ranked.index(max(ranked))
        assert list(choice.scores) == ["softmax"]
        assert len(choice.scores["softmax"]) == len(trained.fold.parts[1 - way])
        np.testing.assert_allclose(np.sum(choice.scores["softmax"], axis=1), 1, rtol=1e-5)


def test_test_data_do_not_reach_training(made):
    """Spoiling every held-out utterance changes no training loss."""
    spoiled = made.inputs.copy()
    held_out = np.concatenate(train(made, config(made, epochs=1)).fold.parts)
    spoiled[held_out] = 1e3
    first = train(made, config(made))
    second = train(replace(made, inputs=spoiled), config(made))
    assert [r["train_softmax"] for r in first.history] == [
        r["train_softmax"] for r in second.history
    ]
    assert first.choices[0].scores != second.choices[0].scores


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"corpus_hash": "0"}, "the run asks for"),
        ({"input": "log_mel"}, "the run asks for"),
        ({"fold": 2}, "only 2"),
        ({"emotions": ("anger", "fear")}, "no emotion 'fear'"),
    ],
)
def test_refuses_data_of_another_run(made, changes, message):
    with pytest.raises(ValueError, match=message):
        train(made, config(made, **changes))


def test_refuses_features_that_were_extracted_otherwise(made):
    other = Dataset(made.corpus, replace(made.config, fmax=4_000.0), made.inputs)
    with pytest.raises(ValueError, match=r"fmax=4000\.0.*the run asks for.*fmax=8000\.0"):
        train(other, config(made))


def test_refuses_a_checkpoint_that_is_none(made, tmp_path):
    path = tmp_path / "checkpoint.pt"
    path.write_bytes(b"half a file")
    with pytest.raises(ValueError, match=f"{path} is not a checkpoint"):
        train(made, config(made), checkpoint=path)
    path.unlink()
    train(made, config(made, seed=5), checkpoint=path)
    with pytest.raises(ValueError, match="is of run"):
        train(made, config(made), checkpoint=path)
    torch.save({"network": {}}, path)  # the weights of a finished run
    with pytest.raises(ValueError, match="no checkpoint to resume from"):
        train(made, config(made), checkpoint=path)


def test_predict_refuses_nothing(made):
    trained = train(made, config(made, epochs=1))
    with pytest.raises(ValueError, match="no inputs"):
        predict(trained.network, torch.zeros(0, *made.config.shape))


def test_training_needs_torch_and_numpy_only():
    """The library's training half runs where no audio package is installed."""
    code = (
        "import sys\n"
        "for name in ('librosa', 'numba', 'soundfile', 'soxr', 'scipy', 'sklearn', 'pandas',\n"
        "             'pyarrow', 'joblib', 'typer', 'matplotlib', 'seaborn', 'tqdm', 'yaml',\n"
        "             'pooch'):\n"
        "    sys.modules[name] = None  # importing it now fails\n"
        "import ser_lib.study, ser_lib.records, ser_lib.training\n"
        "from tests.fakes import dataset, config\n"
        "made = dataset()\n"
        "ser_lib.training.train(made, config(made, epochs=1))\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)


@pytest.mark.parametrize("model", ["residual", "fc", "cnn", "gru"])
def test_triplets_learn_on_top_of_softmax(model):
    made = vectors(takes=6)
    trained = train(
        made, vector_run(made, model=model, epochs=1, triplet_epochs=9, layers=8, margin=1.0)
    )
    softmax, triplet = trained.history[:1], trained.history[1:]
    assert "train_triplet" not in softmax[-1]
    assert "train_softmax" not in triplet[0]
    assert triplet[-1]["train_triplet"] < 0.8 * triplet[0]["train_triplet"]
    assert triplet[-1]["active"] < triplet[0]["active"] < 1
    assert triplet[-1]["collapsed"] == 0
    assert triplet[-1]["accuracy_class_angle_0"] > 0.8
    assert {"accuracy_overall_0", "accuracy_overall_weights_0"} <= set(softmax[0])
    assert list(trained.choices[0].scores) == ["angle"]


def test_one_part_is_tested_at_the_last_epoch():
    made = vectors()
    trained = train(made, vector_run(made, epochs=4, triplet_epochs=0))
    (choice,) = trained.choices
    assert choice.epoch == 4
    assert list(choice.scores) == ["softmax", "angle", "weights"]
    test = trained.fold.parts[0]
    assert {len(table) for table in choice.scores.values()} == {len(test)}
    truth = np.array([PAPER_EMOTIONS.index(made.corpus.utterances[i].emotion) for i in test])
    for by, name in (("softmax", ""), ("angle", "_angle"), ("weights", "_weights")):
        right = np.mean(np.argmax(choice.scores[by], 1) == truth)
        assert right == pytest.approx(trained.history[-1][f"accuracy_overall{name}_0"])


def test_answers_by_angle_use_training_embeddings_only():
    """Naive means of unit vectors of the training set, from what the run leaves."""
    made = vectors()
    trained = train(made, vector_run(made))
    z = torch.nn.functional.normalize(trained.embeddings).numpy().astype(np.float64)
    labels = [made.corpus.utterances[i].emotion for i in trained.fold.train]
    means = []
    for emotion in PAPER_EMOTIONS:
        rows = [
            z[i] for i, label in zip(trained.fold.train, labels, strict=True) if label == emotion
        ]
        means.append(np.mean(rows, 0) / np.linalg.norm(np.mean(rows, 0)))
    expected = z[trained.fold.parts[0]] @ np.array(means).T
    np.testing.assert_allclose(trained.choices[0].scores["angle"], expected, atol=1e-5)


def test_random_mining_is_repeatable():
    made = vectors()
    run = vector_run(made, mining="random", epochs=0)
    assert same(train(made, run), train(made, run))


def test_frames_of_any_length_are_trained(made):
    run = config(made, model="residual_frames", protocol="speakers", triplet_epochs=1, epochs=1)
    trained = train(made, replace(run, optimizer="adam", learning_rate=1e-3))
    assert trained.embeddings.shape == (len(made.inputs), 200)


@pytest.mark.parametrize(
    "changes",
    [
        {"mining": "hard"},
        {"distance": "squared_euclidean"},
        {"margin": 0.7},
        {"mining": "semi-hard"},
    ],
    ids=str,
)
def test_a_triplet_step_pays_for_directions_by_its_settings(changes):
    made = vectors()
    run = Run(made, vector_run(made, epochs=0, **changes), "cpu")
    run.epoch = 1
    x, y = run.inputs[run.fold.train], run.labels[run.fold.train]
    out = run.network(x)
    ((weight, loss),) = run.losses(out, x, y).values()
    options = {"margin": 0.2, "mining": "all", "distance": "euclidean", **changes}
    unit = out.embedding / out.embedding.norm(dim=1, keepdim=True)
    assert weight == 1
    assert loss > 0
    torch.testing.assert_close(loss, triplet_loss(unit, y, **options))


def test_a_step_descends_the_weighted_sum_and_then_moves_the_centers():
    made = dataset()
    settings = {"lambda1": 0.3, "lambda2": 7.0, "alpha": 0.25, "center_norm": "l1"}
    run = Run(made, config(made, objective="S+A+C", dropout=0.0, **settings), "cpu")
    run.center_loss.centers += 0.1
    twin, centers = copy.deepcopy(run.network), CenterLoss(4, 64, 0.25, "l1")
    centers.centers += 0.1
    batch = torch.from_numpy(run.fold.train[:8])
    x, y = run.inputs[batch], run.labels[batch]
    run.step(batch)
    out = twin(x)
    total = F.cross_entropy(out.logits, y) + 0.3 * centers(out.embedding, y)
    (total + 7 * reconstruction_loss(out.reconstruction, x)).backward()
    for own, expected in zip(run.network.parameters(), twin.parameters(), strict=True):
        torch.testing.assert_close(own.grad, expected.grad)
    centers.update_centers(out.embedding.detach(), y)
    torch.testing.assert_close(run.center_loss.centers, centers.centers)


def test_autoencoder_picks_the_epoch_of_least_error():
    made = dataset()
    trained = train(made, config(made, objective="A", epochs=4, learning_rate=3.0))
    for way, choice in enumerate(trained.choices):
        errors = [row[f"reconstruction_{way}"] for row in trained.history]
        assert choice.epoch == 1 + int(np.argmin(errors))


def test_seeds_do_not_change():
    """A record names its seed: other streams under the same name would mix two studies."""
    assert _seeds(config(dataset())) == [2968811710, 3677149159, 745650761, 2884920346]
