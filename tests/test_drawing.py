import itertools
import math
import random
import re
from xml.etree import ElementTree

import pytest

import laten as lt
from laten.common.errors import DeclarationError, LatenError
from laten.families import Deterministic
from laten.network.diagram import PAPER, SHADE, draw
from laten.network.diagram_layout import BESIDE, RADIUS, arranged, crossings, isotonic

SVG = "{http://www.w3.org/2000/svg}"


def coin(*parents):
    return lt.Bernoulli(()).given(*parents) if parents else lt.Bernoulli(())


NETWORKS = {
    "vae": lt.Network(z=lt.Normal(20), x=lt.Bernoulli((28, 28)).given("z", via=lt.MLP(500))),
    "labels": lt.Network(y=lt.Categorical(10), z=lt.Normal(50), x=lt.Bernoulli((28, 28)).given("y", "z")),
    "ladder": lt.Network(z2=lt.Normal(5), z1=lt.Normal(9).given("z2"), x=lt.Normal(30).given("z1", "z2")),
    "table": lt.Network(
        z=lt.Normal(8),
        hidden=Deterministic(64).given("z"),
        binary=lt.Bernoulli(3).given("hidden"),
        categorical=lt.Categorical((8, 3, 41)).given("hidden"),
        real=lt.Normal(7).given("hidden"),
        count=lt.NegativeBinomial(2).given("hidden"),
    ),
    "asia": lt.Network(
        asia=coin(),
        smoke=coin(),
        tub=coin("asia"),
        lung=coin("smoke"),
        bronc=coin("smoke"),
        either=coin("tub", "lung"),
        xray=coin("either"),
        dysp=coin("either", "bronc"),
    ),
    "guide": lt.Network(y=lt.Categorical(10).given("x", "y"), z=lt.Normal(50).given("x", "y")),
    "wide": lt.Network(
        z=lt.Normal(4),
        w=lt.Normal(2),
        **{f"leaf_{i}": lt.Normal(2).given("z") for i in range(9)},
        last=lt.Normal(3).given("leaf_0", "leaf_8", "w", "z"),
    ),
    "alone": lt.Network(x=lt.Normal(3)),
    "empty": lt.Network(),
}


class Node:
    """A circle as drawn."""

    def __init__(self, group):
        self.title = group.find(f"{SVG}title").text
        self.name = re.split(r" [~=] |: ", self.title)[0]
        circles = group.findall(f"{SVG}circle")
        self.centre = (float(circles[0].get("cx")), float(circles[0].get("cy")))
        self.shaded = circles[0].get("fill") == SHADE
        self.dashed = circles[0].get("stroke-dasharray") is not None
        self.double = len(circles) == 2
        self.words = [text.text for text in group.findall(f"{SVG}text")]


def nodes(svg):
    return [Node(group) for group in ElementTree.fromstring(svg).iter(f"{SVG}g")]


def arrows(svg):
    """Every arrow as points along it, from its start to its tip."""
    paths = [path.get("d") for path in ElementTree.fromstring(svg).iter(f"{SVG}path")]
    found = []
    for line, head in zip(paths[::2], paths[1::2], strict=True):
        numbers = [float(x) for x in re.findall(r"-?\d+\.\d", line)]
        points = list(zip(numbers[::2], numbers[1::2], strict=True))
        track, start = [points[0]], points[0]
        for a, b, end in zip(points[1::3], points[2::3], points[3::3], strict=True):
            for t in (i / 40 for i in range(1, 41)):
                weights = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3)
                curve = zip(start, a, b, end, strict=True)
                track.append(tuple(sum(w * x for w, x in zip(weights, xs, strict=True)) for xs in curve))
            start = end
        tip = [float(x) for x in re.findall(r"-?\d+\.\d", head)][:2]
        found.append([*track, tuple(tip)])
    return found


@pytest.mark.parametrize("name", NETWORKS)
def test_arrows_join_edges_of_parent_and_child_and_touch_no_other_node(name):
    network = NETWORKS[name]
    svg = draw(network, ())
    drawn = nodes(svg)
    joined = set()
    for track in arrows(svg):
        ends = [
            min(drawn, key=lambda node, p=p: abs(math.dist(node.centre, p) - RADIUS)) for p in (track[0], track[-1])
        ]
        for node, point in zip(ends, (track[0], track[-1]), strict=True):
            assert math.dist(node.centre, point) == pytest.approx(RADIUS, abs=0.2)
        joined.add((ends[0].title, ends[1].name))
        for node, point in itertools.product(drawn, track):
            assert math.dist(node.centre, point) > (RADIUS - 0.3 if node in ends else RADIUS + 1), node.name
        assert all(b[1] > a[1] - 0.11 for a, b in itertools.pairwise(track)), "an arrow goes up"
    wanted = sum(len(node.parents) for node in network.nodes.values())
    assert len(joined) == len(arrows(svg)) == wanted


@pytest.mark.parametrize("name", NETWORKS)
def test_nodes_keep_apart_and_inside_the_plate(name):
    svg = draw(NETWORKS[name], ())
    centres = [node.centre for node in nodes(svg)]
    for a, b in itertools.combinations(centres, 2):
        assert math.dist(a, b) >= 2 * RADIUS + BESIDE - 0.2
    plate = ElementTree.fromstring(svg).findall(f"{SVG}rect")[1]
    left, top, width, height = (float(plate.get(key)) for key in ("x", "y", "width", "height"))
    for x, y in centres:
        assert left + RADIUS < x < left + width - RADIUS
        assert top + RADIUS < y < top + height - RADIUS
    for track in arrows(svg):
        assert all(left < x < left + width for x, _ in track)
    assert "rows" in [text.text for text in ElementTree.fromstring(svg).findall(f"{SVG}text")]


def test_what_is_observed_is_shaded_and_the_rest_is_not():
    drawn = {node.name: node for node in nodes(draw(NETWORKS["labels"], ("x", "y")))}
    assert {name for name, node in drawn.items() if node.shaded} == {"x", "y"}
    assert not any(node.dashed or node.double for node in drawn.values())
    assert PAPER != SHADE


def test_deterministic_nodes_are_double_circles():
    assert [node.name for node in nodes(draw(NETWORKS["table"])) if node.double] == ["hidden"]


def test_evidence_of_a_guide_is_dashed_and_shaded_also_beside_its_own_node():
    drawn = nodes(draw(NETWORKS["guide"]))
    assert sorted((node.name, node.dashed, node.shaded) for node in drawn) == [
        ("x", True, True),
        ("y", False, False),
        ("y", True, True),
        ("z", False, False),
    ]


def test_circles_say_name_family_and_size():
    words = {node.name: node.words for node in nodes(draw(NETWORKS["table"]))}
    assert words["binary"] == ["binary", "Bernoulli", "3"]
    assert words["count"] == ["count", "Negative", "Binomial", "2"]
    words = {node.name: node.words for node in nodes(draw(NETWORKS["labels"]))}
    assert words["y"] == ["y", "Categorical", "10 states"]
    assert words["x"] == ["x", "Bernoulli", "28×28"]


def test_hovering_tells_the_declaration():
    titles = [node.title for node in nodes(draw(NETWORKS["vae"]))]
    assert titles == ["z ~ Normal(20)", f"x ~ Bernoulli((28, 28)) given z via {lt.MLP(500)}"]
    assert "<title>p(z) p(x | z)</title>" in draw(NETWORKS["vae"])


@pytest.mark.parametrize("name", ["a<b>&\"c'", "line\nbreak\x00\x1b", "日本語", "a_name_longer_than_any_circle"])
def test_any_name_is_well_formed(name):
    (node,) = nodes(draw(lt.Network(**{name: lt.Normal(1)})))
    assert len(node.words[0]) <= 11
    assert node.words[0].rstrip("…")[:3] == name[:3]


def test_parents_stand_above_children_and_roots_near_them():
    place = {node.name: node.centre for node in nodes(draw(NETWORKS["asia"]))}
    for child, node in NETWORKS["asia"].nodes.items():
        assert all(place[parent][1] < place[child][1] for parent in node.parents)
    late = lt.Network(a=lt.Normal(1), b=lt.Normal(1).given("a"), r=lt.Normal(1), c=lt.Normal(1).given("b", "r"))
    place = {node.name: node.centre for node in nodes(draw(late))}
    assert place["r"][1] == place["b"][1]


def test_vae_stands_upright_and_siblings_are_symmetric():
    (z, x) = (node.centre[0] for node in nodes(draw(NETWORKS["vae"])))
    assert z == x
    place = {node.name: node.centre[0] for node in nodes(draw(NETWORKS["table"]))}
    assert place["z"] == place["hidden"]
    assert place["binary"] + place["count"] == pytest.approx(2 * place["hidden"], abs=0.2)


def test_layers_are_ordered_without_needless_crossings():
    crossed = {"d": "a", "e": "b", "f": "c"}
    network = lt.Network(
        a=lt.Normal(1), b=lt.Normal(1), c=lt.Normal(1), **{k: lt.Normal(1).given(crossed[k]) for k in ("f", "e", "d")}
    )
    place = {node.name: node.centre[0] for node in nodes(draw(network))}
    order = [[n for n in sorted(place, key=place.get) if n in layer] for layer in ("abc", "def")]
    assert [crossed[name] for name in order[1]] == order[0]
    assert crossings([[0, 1], [2, 3]], [(0, 3), (1, 2)]) == 1
    assert crossings([[0, 1], [2, 3]], [(0, 2), (1, 3)]) == 0


def test_isotonic_is_the_nearest_rising_sequence():
    assert isotonic([1.0, 3.0, 2.0, 4.0], [1.0, 1.0, 1.0, 1.0]) == [1.0, 2.5, 2.5, 4.0]
    assert isotonic([4.0, 0.0], [3.0, 1.0]) == [3.0, 3.0]
    assert isotonic([], []) == []


def test_hundred_nodes_are_laid_out_and_the_same_each_time():
    rng = random.Random(0)
    edges = [(parent, child) for child in range(1, 100) for parent in {rng.randrange(child) for _ in range(2)}]
    place, routes = arranged(100, edges)
    assert (place, routes) == arranged(100, edges)
    assert all(place[a][1] < place[b][1] for a, b in edges)


def test_file_is_whole_or_absent(tmp_path):
    path = tmp_path / "picture.svg"
    assert draw(NETWORKS["vae"], ("x",), path) == path.read_text("utf-8")
    assert [p.name for p in tmp_path.iterdir()] == ["picture.svg"]
    with pytest.raises(LatenError, match="does the folder exist"):
        draw(NETWORKS["vae"], ("x",), str(tmp_path / "none" / "picture.svg"))


def test_unknown_observed_name():
    with pytest.raises(DeclarationError, match=r"observed 'w' is not a node; known names: \['z', 'x'\]"):
        draw(NETWORKS["vae"], ("w",))


def test_columns_of_nodes_are_listed_under_the_plate():
    network = lt.Network(z=lt.Normal(2), number=lt.Normal(40).given("z"))
    columns = {"number": ["age & height", *(f"column {i}" for i in range(39))]}
    text, plain = network.draw(columns=columns), network.draw()
    assert "number: age &amp; height, column 0" in text and "(40 in all)" in text and "column" not in plain
    heights = [int(re.search(r'height="(\d+)"', t)[1]) for t in (text, plain)]
    assert 4 * 16 <= heights[0] - heights[1] < 6 * 16
