"""Keys: which keys open the service, how it refuses others, and the file of keys."""

import stat
from concurrent.futures import ThreadPoolExecutor

import pytest

from router.keys import Denied, Keyring, change_keys, load_keys, new_key, save_keys

TEXT, KEY = new_key("alice", "2026-01-01")


def refusal(ring, header):
    with pytest.raises(Denied) as denied:
        ring.identify(header)
    return denied.value


def test_a_key_opens_with_its_secret():
    assert Keyring([KEY]).identify(f"Bearer {TEXT}") == KEY


def test_the_record_does_not_contain_the_secret():
    secret = TEXT.rpartition("-")[2]
    assert secret not in KEY.model_dump_json()


@pytest.mark.parametrize(
    "header",
    [
        f"Bearer {TEXT}x",
        f"Bearer {TEXT[:-1]}",
        "Bearer wg-0000000000-" + "0" * 40,
        "Bearer wg--",
        "Bearer wg-",
        "Bearer sk-other",
        "Bearer \udcff",
        f"Bearer wg-{KEY.id}-",
    ],
    ids=["longer", "shorter", "zeros", "dashes", "bare", "another's", "not ASCII", "no secret"],
)
def test_a_wrong_key_is_refused(header):
    assert refusal(Keyring([KEY]), header).code == "invalid_api_key"


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer  ", "Basic abc", TEXT], ids=range(5))
def test_a_request_without_a_key_learns_how_to_send_one(header):
    denied = refusal(Keyring([KEY]), header)
    assert denied.code == "missing_api_key"
    assert "Authorization: Bearer" in denied.message


def test_a_service_whose_only_key_is_revoked_still_needs_a_key():
    ring = Keyring([KEY.model_copy(update={"revoked": "2026-02-02"})])
    assert ring.required
    assert refusal(ring, f"Bearer {TEXT}").code == "revoked_api_key"


def test_two_keys_share_no_salt():
    assert new_key("a", "")[1].salt != new_key("a", "")[1].salt


def test_only_the_owner_can_read_the_file_and_it_loads_as_it_was_saved(tmp_path):
    path = tmp_path / "sub" / "keys.json"
    save_keys(path, [KEY])
    save_keys(path, [KEY])
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert load_keys(path) == (KEY,)


def test_a_file_that_is_no_key_file_gets_an_error_with_advice(tmp_path):
    path = tmp_path / "keys.json"
    path.write_text("{}")
    with pytest.raises(ValueError, match="restore it from a copy"):
        load_keys(path)


def test_keys_that_are_made_at_the_same_time_are_all_kept(tmp_path):
    path = tmp_path / "keys.json"
    keys = [new_key(f"k{n}", "2026-11-26")[1] for n in range(16)]

    def add(key):
        change_keys(path, lambda stored: (*stored, key))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(add, keys))
    assert {key.id for key in load_keys(path)} == {key.id for key in keys}
