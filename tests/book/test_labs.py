"""The labs' JavaScript against PyTorch, and what they put into a page."""

import json
import shutil
import subprocess

import pytest
import torch
import torch.nn.functional as F
from bs4 import BeautifulSoup

from ser_lib.book.labs import SCRIPTS, center_loss_lab
from ser_lib.losses import CenterLoss
from ser_lib.metrics import compactness

NAMES = ["anger", "happiness", "neutral", "sadness"]
RATE = 0.1

needs_node = pytest.mark.skipif(
    shutil.which("node") is None, reason="node, which runs the labs' JavaScript, is not installed"
)


def javascript(expression, **inputs):
    """Evaluate an expression in which ``lab`` is the script and ``x`` holds the inputs."""
    program = (
        f"const lab = require({json.dumps(str(SCRIPTS / 'center-loss.js'))});"
        "const x = JSON.parse(require('fs').readFileSync(0, 'utf8'));"
        f"console.log(JSON.stringify({expression}));"
    )
    done = subprocess.run(
        ["node", "-e", program], input=json.dumps(inputs), capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def fixed_state():
    """Points, weights and centers that are all different; class 2 has a single point."""
    generator = torch.Generator().manual_seed(5)

    def draw(*shape):
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    y = torch.tensor([0, 1, 1, 3, 2, 0, 3, 3, 0])
    return {"points": 3 * draw(9, 2), "weights": draw(4, 2), "biases": draw(4)}, y, draw(4, 2)


def as_json(values, labels, centers):
    lists = {name: value.tolist() for name, value in values.items()}
    return {**lists, "labels": labels.tolist(), "centers": centers.tolist()}


def with_centers(centers, alpha=0.5):
    loss = CenterLoss(*centers.shape, alpha=alpha).double()
    loss.centers.copy_(centers)
    return loss


@needs_node
@pytest.mark.parametrize("lambda1", [0.0, 0.0625, 4.0])
def test_losses_and_gradients_are_pytorchs(lambda1):
    values, y, centers = fixed_state()
    found = javascript("lab.losses(x.state, x.l)", state=as_json(values, y, centers), l=lambda1)
    leaves = {name: value.clone().requires_grad_() for name, value in values.items()}
    scores = F.linear(leaves["points"], leaves["weights"], leaves["biases"])
    softmax = F.cross_entropy(scores, y)
    center = with_centers(centers)(leaves["points"], y)
    gradients = torch.autograd.grad(softmax + lambda1 * center, list(leaves.values()))
    assert abs(found["softmax"] - softmax.item()) < 1e-9
    assert abs(found["center"] - center.item()) < 1e-9
    for name, gradient in zip(leaves, gradients, strict=True):
        own = torch.tensor(found["gradient"][name], dtype=torch.float64)
        torch.testing.assert_close(own, gradient, rtol=0, atol=1e-9)


@needs_node
def test_softmax_loss_survives_large_scores():
    values, y, centers = fixed_state()
    values["points"] *= 1e4
    found = javascript("lab.losses(x.state, 0)", state=as_json(values, y, centers))
    scores = F.linear(values["points"], values["weights"], values["biases"])
    assert found["softmax"] == pytest.approx(F.cross_entropy(scores, y).item(), rel=1e-12)


@needs_node
@pytest.mark.parametrize("alpha", [0.0, 0.5, 1.0])
def test_centers_move_by_the_delta_rule(alpha):
    values, y, centers = fixed_state()
    found = javascript("lab.moved(x.state, x.a)", state=as_json(values, y, centers), a=alpha)
    loss = with_centers(centers, alpha)
    loss.update_centers(values["points"], y)
    own = torch.tensor(found, dtype=torch.float64)
    torch.testing.assert_close(own, loss.centers, rtol=0, atol=1e-9)


@needs_node
def test_compactness_is_the_librarys():
    values, y, centers = fixed_state()
    state = as_json(values, y, centers)
    found = javascript("lab.compactness(x.points, x.labels)", **state)
    assert abs(found - compactness(values["points"], y)) < 1e-9
    nowhere = javascript("String(lab.compactness([[1, 1], [1, 1]], [0, 1]))")
    assert nowhere == "Infinity"


@needs_node
def test_many_steps_are_those_of_gradient_descent():
    values, y, _ = fixed_state()
    data = {"points": values["points"].tolist(), "labels": y.tolist(), "names": NAMES}
    loop = (
        "(() => { let s = lab.start(x); for (let i = 0; i < 50; i += 1)"
        f" s = lab.step(s, 0.5, 0.3, {RATE}); return s; }})()"
    )
    found = javascript(loop, **data)
    z, loss = values["points"].clone().requires_grad_(), CenterLoss(4, 2, alpha=0.3).double()
    head = torch.zeros(4, 2, dtype=torch.float64, requires_grad=True)
    bias = torch.zeros(4, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.SGD(
        [{"params": [z], "lr": RATE * len(y)}, {"params": [head, bias]}], lr=RATE
    )
    for _ in range(50):
        optimizer.zero_grad()
        (F.cross_entropy(F.linear(z, head, bias), y) + 0.5 * loss(z, y)).backward()
        before = z.detach().clone()
        optimizer.step()
        loss.update_centers(before, y)
    for name, ours in (("points", z), ("weights", head), ("biases", bias)):
        own = torch.tensor(found[name], dtype=torch.float64)
        torch.testing.assert_close(own, ours.detach(), rtol=0, atol=1e-9)
    own = torch.tensor(found["centers"], dtype=torch.float64)
    torch.testing.assert_close(own, loss.centers, rtol=0, atol=1e-9)


def test_a_lab_brings_its_data_its_script_and_a_text_for_who_has_none():
    points = [[0.0, 1.0], [1.0, 0.0], [2.0, 2.0]]
    lab = center_loss_lab(points, [0, 1, 1], ["anger", "sadness"])
    page = BeautifulSoup(lab._repr_html_(), "html.parser")
    data = json.loads(page.div["data-lab"])
    assert data["points"] == points
    assert data["labels"] == [0, 1, 1]
    assert data["markers"] == ["^", "D"]
    assert "needs JavaScript" in page.div.p.text
    script = page.script.string
    assert script == (SCRIPTS / "center-loss.js").read_text()
    assert "http" not in script.replace("http://www.w3.org/2000/svg", "")
    assert "src" not in page.script.attrs


@pytest.mark.parametrize(
    ("points", "labels", "names", "message"),
    [
        ([[0.0, 1.0]], [0], ["envy"], "'envy'"),
        ([[0.0, 1.0]], [0], ["fear"], "no marker for emotion 'fear'"),
        ([[0.0, 1.0]], [0, 1], ["anger", "sadness"], r"\(1, 2\)"),
        ([[0.0, 1.0]], [0], ["anger", "sadness"], "0 to 1"),
    ],
)
def test_a_lab_refuses_what_it_cannot_draw(points, labels, names, message):
    with pytest.raises(ValueError, match=message):
        center_loss_lab(points, labels, names)
