"""A data folder is closed to other users whatever stood there before, or it is refused by name."""

import os
import stat
import tempfile
from pathlib import Path

import pytest

from router.deployment.closed_folder import FolderNotOurs, make_closed, openings, trusted_users
from router.deployment.ray_environment import ray_folder, remove_links, short_links
from tests.other_user import NOBODY, as_another_user, needs_root, outcome

USERS = trusted_users(sudo_uid="")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def wide_open(tmp_path):
    """A data folder as an earlier version left it under umask 000."""
    data = tmp_path / "var"
    for folder in (data, data / "telemetry", data / "ray" / "h"):
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o777)
    for name, bits in (("telemetry/rows", 0o666), ("ray/h/haproxy", 0o777), ("keys.json", 0o644)):
        (data / name).write_text("x")
        (data / name).chmod(bits)
    return data


def test_all_that_stood_open_is_closed_and_named(wide_open):
    closed = make_closed(wide_open, USERS)
    assert {wide_open / "telemetry" / "rows", wide_open / "ray", wide_open} <= set(closed)
    assert mode(wide_open) == mode(wide_open / "ray" / "h") == 0o700
    assert mode(wide_open / "telemetry" / "rows") == mode(wide_open / "keys.json") == 0o600
    assert mode(wide_open / "ray" / "h" / "haproxy") == 0o700, "a program stays one"
    assert make_closed(wide_open, USERS) == list(openings(wide_open, USERS)) == []


def test_each_opening_says_what_is_wrong_and_the_command_that_mends_it(wide_open):
    by_path = {each.path: each for each in openings(wide_open, USERS)}
    opening = by_path[wide_open / "ray" / "h" / "haproxy"]
    assert opening.wrong == "has mode 0777"
    assert opening.mend == f"chmod 0700 {opening.path}"


def test_a_link_out_of_the_folder_changes_nothing_outside(wide_open, tmp_path):
    outside = tmp_path / "outside"
    outside.write_text("x")
    outside.chmod(0o644)
    (wide_open / "link").symlink_to(outside)
    (wide_open / "second-name").hardlink_to(outside)
    make_closed(wide_open, USERS)
    assert mode(outside) == 0o644
    assert [each.path.name for each in openings(wide_open, USERS)] == ["second-name"]


@needs_root
@pytest.mark.parametrize("name", [".", "ray/h/haproxy", "telemetry"])
def test_what_another_user_owns_is_refused_by_name(wide_open, name):
    trap = wide_open / name
    os.chown(trap, NOBODY, NOBODY)
    with pytest.raises(FolderNotOurs, match=rf"{trap} belongs to user {NOBODY}"):
        make_closed(wide_open, USERS)


@needs_root
def test_a_folder_below_that_of_another_user_is_refused(wide_open):
    os.chown(wide_open.parent, NOBODY, NOBODY)
    with pytest.raises(FolderNotOurs, match=r"belongs to user 65534, who could replace"):
        make_closed(wide_open, USERS)
    assert make_closed(wide_open, trusted_users(sudo_uid=str(NOBODY))), "sudo's caller is root too"


def test_a_folder_where_every_user_may_write_is_refused_unless_it_is_sticky(wide_open):
    wide_open.parent.chmod(0o777)
    with pytest.raises(FolderNotOurs, match="every user may write"):
        make_closed(wide_open, USERS)
    wide_open.parent.chmod(0o1777)
    assert make_closed(wide_open, USERS)


def test_a_folder_of_other_things_is_refused_rather_than_closed(tmp_path):
    tmp_path.chmod(0o755)
    (tmp_path / "etc").mkdir()
    with pytest.raises(FolderNotOurs, match="give Waggle a folder of its own"):
        make_closed(tmp_path, USERS)
    assert mode(tmp_path) == 0o755


class TestTheShortLink:
    """A link stands for Ray's folder where its path is too long for Unix sockets."""

    @pytest.fixture
    def data(self, tmp_path, monkeypatch):
        """A data folder with a long path, of a user whose home has a long path too."""
        monkeypatch.setenv("HOME", str(tmp_path))
        monkeypatch.setattr(tempfile, "tempdir", "/tmp")
        data = tmp_path / "var"
        yield data
        remove_links(data)

    @pytest.fixture
    def place(self, data):
        """The folder in the shared temporary folder that our link will need."""
        _, link = short_links(data, Path.home(), Path("/tmp"))
        yield link.parent
        if link.parent.is_symlink():
            link.parent.unlink()
        elif link.parent.is_dir():
            link.parent.rmdir()

    def test_it_stands_in_a_closed_folder_of_our_own_and_goes_with_the_service(self, data, place):
        link = ray_folder(data)
        assert link.resolve() == data / "ray"
        assert link.parent == place
        assert mode(place) == 0o700
        assert ray_folder(data) == link
        remove_links(data)
        assert not place.exists()

    def test_our_home_comes_first_because_no_cleaner_removes_what_is_there(self):
        in_home, in_temporary = short_links(Path("/data"), Path("/home/alice"), Path("/tmp"))
        assert in_home.parent == Path("/home/alice")
        assert in_temporary.is_relative_to("/tmp")

    @needs_root
    def test_a_folder_that_another_user_made_first_is_refused_by_name(self, data, place):
        assert as_another_user(lambda: outcome(place.mkdir)) == "succeeded"
        with pytest.raises(FolderNotOurs, match=rf"{place} is not a folder of user 0") as refused:
            ray_folder(data)
        assert "set server.data to a path of at most" in refused.value.mend

    @needs_root
    def test_a_link_of_another_user_in_its_place_is_refused_by_name(self, data, place):
        assert as_another_user(lambda: outcome(lambda: place.symlink_to("/etc"))) == "succeeded"
        with pytest.raises(FolderNotOurs, match=rf"{place} is not a folder of user 0, but of user"):
            ray_folder(data)
