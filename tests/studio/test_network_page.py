"""The page *Network*: its text is read and never run, its edits are the library's, and what stands there is learned."""

import threading

import pandas as pd
import pytest

import laten as lt
from laten.data.datasets.simulated_clinic import clinic
from laten.estimator.plain_vae import PlainVAE
from laten.estimator.propose import propose

pytest.importorskip("fastapi")
from fastapi.testclient import TestClient

from laten.studio import declared_text
from laten.studio.app import create_app
from laten.studio.declaration import Facts, planned, proposed
from laten.studio.edits import Edits
from laten.studio.workspace import Workspace
from laten.studio.written_text import declaration_text


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    return clinic(120, seed=0).iloc[:, :9]


@pytest.fixture(scope="module")
def facts(frame) -> Facts:
    return Facts(lt.infer_schema(frame), (), len(frame))


class Page:
    """A studio, and two ways to ask it: `ok` and `refused` return the body of an answer, or its sentence."""

    def __init__(self, folder):
        self.workspace = Workspace(folder)
        app = create_app(self.workspace, "t", ("testserver",))
        self.client = TestClient(app, headers={"authorization": "Bearer t"})

    def ok(self, path="", **body):
        found = self.client.post(f"/api/network/{path}", json=body) if path else self.client.get("/api/network")
        assert found.status_code == 200, found.text
        return found.json()

    def refused(self, path, **body):
        found = self.client.post(f"/api/network/{path}", json=body)
        assert found.status_code == 422, found.text
        return found.json()["detail"]


@pytest.fixture(scope="module")
def opened(frame, tmp_path_factory):
    found = Page(tmp_path_factory.mktemp("studio"))
    path = found.workspace.folder / "patients.csv"
    frame.to_csv(path, index=False)
    found.client.put("/api/file/patients.csv", content=path.read_bytes())
    return found


@pytest.fixture
def page(opened):
    """A studio with a table and no edits."""
    opened.workspace.edits = Edits()
    return opened


# -- the text ------------------------------------------------------------------


@pytest.mark.parametrize("asked", [{}, {"numbers": "normal", "prior": "standard"}, {"latent": 3, "width": 8}])
def test_a_proposal_is_written_and_read_back(facts, asked):
    declaration = proposed(facts, asked)
    text = declaration_text(declaration, facts.scope(declaration.nodes))
    assert declared_text.read(text, facts.suited) == declaration
    assert max(map(len, text.splitlines())) <= 100


def test_all_that_a_declaration_can_say_is_read(facts):
    text = """
# a comment
nodes = {"my ages": ["age"], "sex": 'sex'}
network = lt.Network(**{
    "c": lt.Categorical(3).standard(),
    "z": lt.Normal(2).given("c", via=lt.MLP((8, 4), activation="tanh")),
    "my ages": lt.Mixture(lt.StudentT(1), 3).given("z", "c", via=lt.ResMLP(8)),
    "sex": lt.Bernoulli(()).given("z"),
    "b": lt.DiscretizedLogistic(2, 5, low=-2).learned(),
})
"""
    found = declared_text.read(text, facts.suited)
    assert found.nodes == {"my ages": ("age",), "sex": "sex"}
    assert found.network == lt.Network(**{
        "c": lt.Categorical(3).standard(),
        "z": lt.Normal(2).given("c", via=lt.MLP((8, 4), activation="tanh")),
        "my ages": lt.Mixture(lt.StudentT(1), 3).given("z", "c", via=lt.ResMLP(8)),
        "sex": lt.Bernoulli(()).given("z"),
        "b": lt.DiscretizedLogistic(2, 5, low=-2).learned(),
    })  # fmt: skip
    again = declaration_text(found, facts.scope(found.nodes))
    assert declared_text.read(again, facts.suited) == found


BAD = {
    "import": "import os",
    "import of a name": "from os import system",
    "builtin": "network = __import__('os').system('true')",
    "statement": "print(1)",
    "second line": "network = lt.Network(z=lt.Normal(2))\nopen('x', 'w')",
    "other name": "x = lt.Network(z=lt.Normal(2))",
    "attribute": "lt.Network = 1",
    "twice": "network = lt.Network(z=lt.Normal(2))\nnetwork = lt.Network(z=lt.Normal(2))",
    "nodes after": "network = lt.Network(z=lt.Normal(2))\nnodes = {'a': 'a'}",
    "two targets": "network = nodes = lt.Network(z=lt.Normal(2))",
    "assignment that adds": "network += lt.Network(z=lt.Normal(2))",
    "annotation": "network: lt.Network = lt.Network(z=lt.Normal(2))",
    "walrus": "network = lt.Network(z=(y := lt.Normal(2)))",
    "semicolon": "network = lt.Network(z=lt.Normal(2)); x = 1",
    "chain": "network = lt.Network(z=lt.Normal.__class__(2))",
    "dunder": "network = lt.Network(z=lt.__dict__(2))",
    "class of a class": "network = lt.Network(z=lt.Normal(2).__class__)",
    "method": "network = lt.Network(z=lt.Normal(2).log_prob(1, 2))",
    "method of a method": "network = lt.Network(z=lt.Normal(2).given('a').given('b'))",
    "module": "network = lt.Network(z=lt.datasets.load('wine'))",
    "function": "network = lt.Network(z=lt.load('x.laten'))",
    "reader": "network = lt.Network(z=lt.read('/etc/passwd'))",
    "network inside": "network = lt.Network(z=lt.Network())",
    "other module": "network = os.Network(z=1)",
    "bare call": "network = Network(z=Normal(2))",
    "bare name": "network = lt.Network(z=schema)",
    "positional": "network = lt.Network(lt.Normal(2))",
    "star": "network = lt.Network(*[lt.Normal(2)])",
    "double star name": "network = lt.Network(**nodes)",
    "double star call": "network = lt.Network(**dict(z=1))",
    "double star inside": "network = lt.Network(z=lt.Normal(**{'size': 2}))",
    "merged": "network = lt.Network(**{**{'z': lt.Normal(2)}})",
    "key": "network = lt.Network(**{1: lt.Normal(2)})",
    "node twice": "network = lt.Network(z=lt.Normal(2), **{'z': lt.Normal(3)})",
    "option twice": "network = lt.Network(z=lt.Normal(size=2, size=3))",
    "comprehension": "network = lt.Network(z=lt.Normal([i for i in (1, 2)]))",
    "generator": "network = lt.Network(z=lt.Normal(sum(x for x in (1,))))",
    "lambda": "network = lt.Network(z=lambda: 1)",
    "condition": "network = lt.Network(z=lt.Normal(1 if True else 2))",
    "boolean": "network = lt.Network(z=lt.Normal(2) or lt.Normal(3))",
    "arithmetic": "network = lt.Network(z=lt.Normal(2 * 8))",
    "power": "network = lt.Network(z=lt.Normal(9 ** 9))",
    "comparison": "network = lt.Network(z=lt.Normal(1 < 2))",
    "subscript": "network = lt.Network(z=lt.Normal((1, 2)[0]))",
    "slice": "network = lt.Network(z=lt.Normal('abc'[1:]))",
    "dictionary": "network = lt.Network(z=lt.Normal({1: 2}))",
    "set": "network = lt.Network(z=lt.Normal({1, 2}))",
    "f-string": "network = lt.Network(z=lt.Normal(1, scale=f'{1}'))",
    "bytes": "network = lt.Network(z=lt.Normal(1, scale=b'net'))",
    "raw": "network = lt.Network(z=lt.Normal(1, scale=r'net'))",
    "dots": "network = lt.Network(z=lt.Normal(...))",
    "complex": "network = lt.Network(z=lt.Normal(1j))",
    "infinite": "network = lt.Network(z=lt.Normal(1, scale=1e999))",
    "huge": "network = lt.Network(z=lt.Normal(99999999999))",
    "digits": f"network = lt.Network(z=lt.Normal({'9' * 5000}))",
    "huge hexadecimal": "network = lt.Network(z=lt.Normal(0xFFFFFFFFFFFF))",
    "sizes": f"network = lt.Network(z=lt.Categorical(({'99999, ' * 20})))",
    "brackets": f"network = {'(' * 3000}1{')' * 3000}",
    "lists": f"nodes = {{'a': {'[' * 50}'b'{']' * 50}}}",
    "signs": f"network = lt.Network(z=lt.Normal({'-' * 5000}1))",
    "words": f"network = {'not ' * 5000}1",
    "calls": f"network = lt.Network(z=lt.Normal{'(1)' * 5000})",
    "names": f"network = {'lt.' * 5000}Network()",
    "stars": f"network = {'1 ** ' * 5000}1",
    "open": "network = lt.Network(z=lt.Normal(2)",
    "open quote": "network = lt.Network(z=lt.Normal('2))",
    "indented": "  network = lt.Network(z=lt.Normal(2))",
    "null": "network = lt.Network(z=lt.Normal(2))\0",
    "long": "network = lt.Network(z=lt.Normal(2))" + " " * 200_000,
    "long text": f"nodes = {{'a': '{'b' * 5000}'}}",
    "decorator": "@lt\nclass A: pass",
    "await": "network = await lt.Network()",
    "unknown": "network = lt.Network(z=lt.Gaussian(2))",
    "no such option": "network = lt.Network(z=lt.Normal(2, sigma=3))",
    "wrong size": "network = lt.Network(z=lt.Normal('two'))",
    "wrong net": "network = lt.Network(z=lt.Normal(2), x=lt.Normal(2).given('z', via=3))",
    "no family": "network = lt.Network(z=3)",
    "net as node": "network = lt.Network(z=lt.MLP(3))",
    "points": "network = lt.Network(z=lt.Binned((2,), points='ab'))",
    "order": "network = lt.Network(x=lt.Normal(2).given('z'), z=lt.Normal(2))",
    "family_for unknown": "network = lt.Network(x=lt.family_for(schema, 'x'))",
    "family_for of what": "nodes = {'age': ['age']}\nnetwork = lt.Network(age=lt.family_for(nodes, 'age'))",
    "family_for rank": "nodes = {'age': ['age']}\nnetwork = lt.Network(age=lt.family_for(schema, 'age', rank='a'))",
    "no column": "nodes = {'a': ['nobody']}\nnetwork = lt.Network(a=lt.family_for(schema, 'a'))",
    "nodes computed": "nodes = {'a': list('ab')}",
    "nodes merged": "nodes = {**{'a': 'b'}}",
    "column that is true": "nodes = {'a': [True]}",
    "empty": "",
    "nodes alone": "nodes = {'age': ['age']}",
}  # fmt: skip


@pytest.mark.parametrize("text", BAD.values(), ids=BAD)
def test_anything_else_is_a_plain_error_with_its_line(facts, text, monkeypatch):
    def never(*args, **kwargs):
        raise AssertionError("the text of a user was run")

    for name in ("exec", "eval"):
        monkeypatch.setattr(f"builtins.{name}", never)
    with pytest.raises(lt.DeclarationError, match=r"^line \d+: ") as caught:
        declared_text.read(text, facts.suited)
    monkeypatch.undo()
    assert len(str(caught.value)) < 600


def test_the_line_is_the_right_one(facts):
    text = "nodes = {'age': ['age']}\nnetwork = lt.Network(\n    z=lt.Normal(2),\n    age=lt.Normal(-1).given('z'),\n)"
    with pytest.raises(lt.DeclarationError, match=r"^line 4: Normal: sizes must be at least 1"):
        declared_text.read(text, facts.suited)


def test_the_reader_has_no_door(pytestconfig):
    """Neither evaluates nor looks a name up that the text gives, except in its table of constructors."""
    import ast

    tree = ast.parse((pytestconfig.rootpath / "src/laten/studio/declared_text.py").read_text())
    called = {n.func.id for n in ast.walk(tree) if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)}
    assert not called & {"eval", "exec", "compile", "__import__", "open", "globals", "vars", "setattr", "delattr"}
    looked = [n for n in ast.walk(tree) if isinstance(n, ast.Call) and getattr(n.func, "id", "") == "getattr"]
    assert all(isinstance(n.args[1], ast.Constant) for n in looked)


# -- the page ------------------------------------------------------------------


def test_the_proposal_is_what_a_fit_proposes(page, frame):
    shown = page.ok()
    network = propose(lt.read(page.workspace.folder / "patients.csv"), PlainVAE()).network
    assert page.workspace.declaration().network == network and shown["factors"] == network.factors()
    assert not shown["undo"] and not shown["redo"] and shown["problem"] == ""
    circles = {n["name"]: n for n in shown["diagram"]["nodes"]}
    assert circles["z"]["y"] < circles["hidden"]["y"] < circles["number"]["y"]
    assert {(a["from"], a["to"]) for a in shown["diagram"]["arrows"]} >= {("z", "hidden"), ("hidden", "number")}
    columns = [c for n in shown["nodes"] for c in n["columns"]]
    assert sorted(columns) == sorted(frame.columns)


def test_nodes_are_added_connected_and_removed(page):
    shown = page.ok("edit", do="add", what="latent")
    assert shown["childless"] == ["z2"]
    shown = page.ok("edit", do="connect", **{"from": "z2", "to": "hidden"})
    assert "p(number | z, z2)" in shown["factors"] and shown["childless"] == []
    shown = page.ok("edit", do="rename", node="z2", name="my z")
    shown = page.ok("edit", do="size", node="my z", what="size", size=5)
    assert '"my z": lt.Normal(5)' in shown["python"]
    shown = page.ok("edit", do="cut", **{"from": "hidden", "to": "binary"})
    assert "p(binary)" in shown["factors"]
    shown = page.ok("edit", do="remove", node="my z")
    assert "my z" not in shown["python"] and "hidden" in shown["python"]
    shown = page.ok("edit", do="net", node="number", net="MLP", width=9, depth=2)
    assert "via=lt.MLP(9, depth=2)" in shown["python"]


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({"do": "connect", "from": "number", "to": "z"}, "node 'z': parent 'number' is not declared before it"),
        ({"do": "connect", "from": "number", "to": "z"}, "would close a circle: number → z → hidden → number"),
        ({"do": "connect", "from": "z", "to": "z"}, "would close a circle: z → z"),
        ({"do": "connect", "from": "nobody", "to": "z"}, "'nobody' is not there"),
        ({"do": "family", "node": "number", "family": "lt.Bernoulli(2)"}, "node 'number'"),
        ({"do": "family", "node": "z", "family": "lt.Poisson(2)"}, "no gradient passes through draws"),
        ({"do": "family", "node": "z", "family": "__import__('os')"}, "line 1"),
        ({"do": "size", "node": "z", "what": "size", "size": 0}, "sizes must be at least 1"),
        ({"do": "size", "node": "z", "what": "size", "size": 10**9}, "at most"),
        ({"do": "size", "node": "z", "what": "__class__", "size": 2}, "'__class__' is not there"),
        ({"do": "net", "node": "hidden", "net": "MLP", "depth": 99_999}, "hidden layers; the studio trains at most"),
        ({"do": "net", "node": "hidden", "net": "MLP", "width": 100_000, "depth": 9}, "weights; the studio trains"),
        ({"do": "rename", "node": "z", "name": "hidden"}, "cannot be called 'hidden'"),
        ({"do": "merge", "node": "binary", "into": "number"}, "its columns must be of one kind"),
        ({"do": "split", "column": "nobody"}, "no column 'nobody'"),
        ({"do": "add", "what": "exec"}, "'exec' is not there"),
        ({"do": "edited"}, "the page asks for an edit 'edited'"),
        ({"do": "propose", "latent": 0}, "latent is a whole number"),
        ({"do": "propose", "prior": "flat"}, "prior is one of"),
        ({"do": "model"}, "there is no model yet"),
    ],
)
def test_what_cannot_be_says_why_and_changes_nothing(page, said, sentence):
    before = page.ok()
    assert sentence in page.refused("edit", **said)
    assert page.ok() == before


def test_families_by_column(page):
    shown = page.ok("edit", do="split", column="age")
    by_name = {n["name"]: n for n in shown["nodes"]}
    assert by_name["age"]["columns"] == ["age"] and "age" not in by_name["number"]["columns"]
    assert by_name["age"]["parents"] == ["hidden"]
    for offered in by_name["age"]["families"]:
        shown = page.ok("edit", do="family", node="age", family=offered["text"])
    shown = page.ok("edit", do="family", node="age", family='lt.Normal(1, scale="site")')
    assert ".binned(but=['age'])" in shown["code"]["python"]
    shown = page.ok("edit", do="remove", node="age")
    assert shown["aside"] == ["age"]
    page.ok("edit", do="split", column="age")
    shown = page.ok("edit", do="merge", node="age", into="number")
    assert "age" in {n["name"]: n for n in shown["nodes"]}["number"]["columns"]


def test_classes_that_are_too_many_to_enumerate_get_several_draws(page):
    assert "draws" not in page.ok("edit", do="family", node="z", family="lt.Bernoulli(4)")["code"]["python"]
    shown = page.ok("edit", do="family", node="z", family="lt.Bernoulli(16)")
    assert "objective=lt.Elbo(warmup=0.5, draws=4)" in shown["code"]["python"]
    declaration, facts = page.workspace.declaration(), page.workspace.facts()
    assert planned(declaration, facts, {"epochs": 1}).objective == lt.Elbo(warmup=0.5, draws=4)


def test_undo_and_redo(page):
    first = page.ok()
    second = page.ok("edit", do="add", what="latent")
    third = page.ok("edit", do="propose", latent=3, width=8, prior="standard", numbers="normal")
    assert "z=lt.Normal(3)" in third["python"] and third["undo"] and not third["redo"]
    assert page.ok("undo")["python"] == second["python"]
    assert page.ok("undo") == first | {"redo": True}
    assert page.ok("undo") == first | {"redo": True}  # nothing before it
    assert page.ok("redo")["python"] == second["python"]
    page.ok("edit", do="add", what="classes")
    assert not page.ok()["redo"]


def test_typing_is_one_step(page):
    first = page.ok()
    for size in (1, 12, 120):
        text = first["python"].replace("lt.NormalMixture(16, k=6)", f"lt.Normal({size})")
        assert text != first["python"]
        shown = page.ok("text", text=text, typing=7)
    assert "z=lt.Normal(120)" in shown["python"]
    assert page.refused("text", text="network = exit()", typing=7).startswith("line 1: ")
    assert page.ok("undo")["python"] == first["python"]


def test_another_kind_of_a_column_keeps_the_edits(page):
    page.client.post("/api/column", json={"column": "visits", "kind": "identifier"})
    assert "visits" not in page.ok()["python"]  # no edit yet: another proposal
    page.client.post("/api/column", json={"column": "visits", "kind": "count"})
    page.ok("edit", do="add", what="latent")
    page.client.post("/api/column", json={"column": "visits", "kind": "categorical"})
    shown = page.ok()
    assert "its columns must be of one kind" in shown["problem"] and "z2" in shown["python"] and shown["code"] is None
    found = page.client.post("/api/fit", json={"epochs": 1})
    assert found.status_code == 422 and "one kind" in found.json()["detail"]
    assert "one kind" in page.refused("edit", do="add", what="latent")
    assert page.ok("edit", do="propose")["problem"] == ""
    assert page.ok("undo")["problem"] != ""
    page.client.post("/api/column", json={"column": "visits", "kind": "count"})
    assert page.ok()["problem"] == ""


def learned(workspace: Workspace):
    workspace.training.thread.join(120)
    assert workspace.training.error == ""
    return workspace.vae


@pytest.mark.slow
def test_what_stands_there_is_learned_and_its_python_learns_the_same(page, monkeypatch):
    page.ok("edit", do="propose", latent=2, width=8)
    page.ok("edit", do="split", column="age")
    page.ok("edit", do="family", node="age", family='lt.StudentT(1, scale="site")')
    page.ok("edit", do="add", what="latent")
    shown = page.ok("edit", do="connect", **{"from": "z2", "to": "age"})
    assert page.client.get("/api/state").json()["network"] is True
    page.client.post("/api/fit", json={"latent": 16, "epochs": 2})
    vae = learned(page.workspace)
    assert vae.network_.nodes["age"].parents == ("hidden", "z2")
    assert vae.network_.factors() == shown["factors"]
    monkeypatch.chdir(page.workspace.folder)
    space: dict = {}
    exec(shown["code"]["python"].replace("learning_rate", "epochs=2, learning_rate"), space)
    again = space["vae"]
    assert again.network_ == vae.network_
    assert again.history_["valid_bound"].tolist() == vae.history_["valid_bound"].tolist()
    assert page.ok("edit", do="model")["factors"] == shown["factors"]


def test_the_proposal_learns_the_same_by_its_declaration(page):
    """An edit that is undone by another edit is a declared network, and learns as the proposal does."""
    page.ok("edit", do="propose", latent=2, width=8)
    page.client.post("/api/fit", json={"epochs": 2})
    declared = learned(page.workspace)
    frame = lt.read(page.workspace.folder / "patients.csv")
    fitted = lt.VAE(epochs=2, latent=2, width=8).fit(frame)
    assert declared.history_["valid_bound"].tolist() == fitted.history_["valid_bound"].tolist()


def test_images_have_a_network_too(tmp_path):
    client = Page(tmp_path).client
    client.post("/api/example/digits")
    shown = client.get("/api/network").json()
    assert shown["factors"] == "p(z) p(x | z)" and shown["code"]["python"].startswith(
        "import laten as lt\n\nx = lt.read"
    )
    for said in ({"do": "add", "what": "classes"}, {"do": "connect", "from": "c", "to": "x"}):
        shown = client.post("/api/network/edit", json=said).json()
    assert shown["factors"] == "p(c) p(z) p(x | z, c)"
    wrong = client.post("/api/network/edit", json={"do": "remove", "node": "x"}).json()["detail"]
    assert wrong.startswith("the images need a node 'x' of shape (8, 8)")
    for text in (t["text"] for t in next(n for n in shown["nodes"] if n["name"] == "x")["families"]):
        assert client.post("/api/network/edit", json={"do": "family", "node": "x", "family": text}).status_code == 200


def test_a_model_without_data_is_shown_as_it_is(tmp_path, pytestconfig):
    client = Page(tmp_path).client
    assert client.get("/api/network").status_code == 422
    client.put("/api/file/asia.bif", content=(pytestconfig.rootpath / "docs" / "asia.bif").read_bytes())
    shown = client.get("/api/network").json()
    assert not shown["editable"] and len(shown["diagram"]["arrows"]) == 8
    assert client.post("/api/network/edit", json={"do": "add", "what": "latent"}).status_code == 422


def test_many_threads_edit_one_network(page):
    """Each edit is whole: six added nodes are six nodes."""
    page.ok()
    threads = [threading.Thread(target=lambda: page.ok("edit", do="add", what="latent")) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(n["role"] == "latent" for n in page.ok()["nodes"]) == 7
