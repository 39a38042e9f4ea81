"""The buttons Inspect and Adapt in real Blenders: files where they lie, exports where there are none."""

import pytest
from blender_host import LAST, VERSIONS, Station, step


@pytest.mark.parametrize("version", VERSIONS)
def test_a_node_says_whether_its_plate_can_work(tmp_path, version):
    station = Station(tmp_path, version)
    asked = (step("inspect"), step("lines"), step("adapt"))
    another = f"tree.nodes['PlateKey'].node_tree.platekey.clean_frame = {LAST}"
    try:
        done = station.blender.run(
            *station.steps(exported=False),
            *asked,
            step("python", code=another),
            step("lines"),
            *station.steps(exported=True),
            *asked,
        )
    finally:
        station.close()
    assert done.code == 0, done.printed
    assert [answer for answer in done.results if isinstance(answer, str)] == ["", ""]
    told = [lines for lines in done.results if isinstance(lines, list)]
    direct, adapted, of_another, exported, adapted_again = told
    # Seven frames on disk are looked through; of an export there are only those that are measured.
    assert "registration: frames [1002, 1004, 1005, 1006, 1008], 7 looked through." in direct[0]
    assert "registration: frames [1002, 1004, 1005, 1006, 1008], 5 looked through." in exported[0]
    assert direct[1].split(maxsplit=1) == ["Do", "Stand further off."]
    assert "can work" in direct[2]
    for error, model in (adapted, adapted_again):
        assert error == ""
        assert model.startswith("shot-")
    assert not [line for line in of_another if "looked through" in line], "it was found of another plate"
