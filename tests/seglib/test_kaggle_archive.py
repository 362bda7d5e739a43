"""The real client, in processes of its own, against Kaggle's protocol on loopback."""

import json
import shutil
import subprocess
from datetime import UTC, datetime, timedelta

import pytest

from tests.archives import digest
from tests.kaggle_server import COMPETITION, KEY, RULES, SIGNATURE, TOKEN, USER, Done, User, serve_kaggle
from tests.server import Fault

CONTENT = bytes(range(256)) * 100
DATASET = ("dataset", "andrewmvd/covid19-ct-scans")
PAGES = {
    COMPETITION: "https://www.kaggle.com/competitions/carvana-image-masking-challenge",
    DATASET: "https://www.kaggle.com/datasets/andrewmvd/covid19-ct-scans",
}
LIMIT_OF_FILES = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))"
VARIABLES = ("KAGGLE_API_TOKEN", "KAGGLE_USERNAME", "KAGGLE_KEY")
OTHER_WAYS = ("data.path", "data.url")
CAN_MOUNT = not subprocess.run(
    ["unshare", "-rm", "mount", "-t", "tmpfs", "tmpfs", "/mnt"], check=False, capture_output=True
).returncode if shutil.which("unshare") else False  # fmt: skip


@pytest.fixture
def server():
    with serve_kaggle(CONTENT) as server:
        yield server


@pytest.fixture
def user(server, tmp_path) -> User:
    home, folder = tmp_path / "home", tmp_path / "work"
    home.mkdir()
    folder.mkdir()
    return User(server, home, folder)


def key_file(user: str = USER, key: str = KEY) -> str:
    return json.dumps({"username": user, "key": key})


def logged_in(user: User) -> dict[str, str]:
    later = (datetime.now(UTC) + timedelta(hours=9)).isoformat()
    saved = {"refresh_token": "SENTINEL", "access_token": TOKEN, "access_token_expiration": later, "username": USER}
    user.write(".kaggle/credentials.json", json.dumps(saved))
    return {}


def saved_at(user: User, path: str, content: str) -> dict[str, str]:
    user.write(path, content)
    return {}


WAYS = {
    "token": lambda _: {"KAGGLE_API_TOKEN": TOKEN},
    "token's path": lambda user: {"KAGGLE_API_TOKEN": str(user.write("token", TOKEN + "\n"))},
    "access_token": lambda user: saved_at(user, ".kaggle/access_token", TOKEN),
    "username and key": lambda _: {"KAGGLE_USERNAME": USER, "KAGGLE_KEY": KEY},
    "kaggle.json": lambda user: saved_at(user, ".kaggle/kaggle.json", key_file()),
    "kaggle.json, XDG": lambda user: saved_at(user, ".config/kaggle/kaggle.json", key_file()),
    "KAGGLE_CONFIG_DIR": lambda user: {"KAGGLE_CONFIG_DIR": str(user.write("own/kaggle.json", key_file()).parent)},
    "kaggle auth login": logged_in,
}
WRONG = {
    "token": lambda _: {"KAGGLE_API_TOKEN": "SENTINEL-WRONG"},
    "token before a good key": lambda user: {
        **WAYS["kaggle.json"](user), "KAGGLE_API_TOKEN": "SENTINEL-WRONG"
    },
    "path of no file": lambda user: {"KAGGLE_API_TOKEN": str(user.home / "SENTINEL-missing")},
    "username and key": lambda _: {"KAGGLE_USERNAME": USER, "KAGGLE_KEY": "SENTINEL-WRONG"},
    "kaggle.json": lambda user: saved_at(user, ".kaggle/kaggle.json", key_file(key="SENTINEL-WRONG")),
}  # fmt: skip
UNUSABLE = {
    "line break": {"KAGGLE_API_TOKEN": f"{TOKEN}\nX: 1"},
    "foreign character": {"KAGGLE_USERNAME": USER, "KAGGLE_KEY": f"{KEY}☃"},
    "too long for a file's name": {"KAGGLE_API_TOKEN": TOKEN * 40},
}


def check_fetched(user: User, done: Done) -> None:
    assert done.code == 0, done.err
    assert done.out.split() == [digest(CONTENT)]
    assert user.partial.read_bytes() == CONTENT
    assert not user.server.given_away
    done.check_silent()


@pytest.mark.parametrize("way", WAYS)
def test_every_way_to_give_credentials_is_taken(user, way):
    done = user.fetch(**WAYS[way](user))
    check_fetched(user, done)
    assert "warning" not in done.err
    assert user.server.asked("DownloadDataFiles") == [{"competitionName": COMPETITION[1]}]


def test_a_data_set_is_asked_for_by_owner_and_name(user):
    check_fetched(user, user.fetch(DATASET, KAGGLE_API_TOKEN=TOKEN))
    assert user.server.asked("DownloadDataset") == [{"ownerSlug": "andrewmvd", "datasetSlug": "covid19-ct-scans"}]


def test_an_archive_that_the_api_sends_itself_is_resumed_too(user):
    with serve_kaggle(CONTENT, direct=True, faults=[Fault(), Fault(cut=5000)]) as user.server:
        check_fetched(user, user.fetch(KAGGLE_API_TOKEN=TOKEN))
        assert user.server.blob.requests[-1].range == "bytes=4096-"


def test_a_verbose_client_tells_nothing(user):
    check_fetched(user, user.fetch(KAGGLE_API_TOKEN=TOKEN, VERBOSE="1", VERBOSE_OUTPUT="1"))


@pytest.mark.parametrize("path", [".kaggle/kaggle.json", ".kaggle/access_token"])
def test_a_key_that_others_can_read_is_warned_of(user, path):
    content = key_file() if path.endswith(".json") else TOKEN
    file = user.write(path, content, mode=0o644)
    done = user.fetch()
    check_fetched(user, done)
    assert done.err.splitlines() == [f"warning: others can read your Kaggle key; run `chmod 600 {file}`"]


@pytest.mark.parametrize("given", [{}, {"KAGGLE_USERNAME": USER}, dict.fromkeys(VARIABLES, "")])
def test_without_credentials_nothing_is_asked(user, given):
    done = user.fetch(**given)
    place = str(user.home / ".config/kaggle/kaggle.json")
    done.check_refused(
        PAGES[COMPETITION], "no credentials", "https://www.kaggle.com/settings/api", "~/.kaggle/access_token",
        "KAGGLE_API_TOKEN", "KAGGLE_KEY", place, *OTHER_WAYS
    )  # fmt: skip
    assert not user.server.requests
    assert not done.out


def test_an_empty_key_is_none(user):
    user.write(".config/kaggle/kaggle.json", key_file(key=""))
    user.fetch().check_refused("no credentials")
    assert not user.server.requests


def test_empty_variables_do_not_hide_a_file(user):
    check_fetched(user, user.fetch(**WAYS["kaggle.json"](user), **dict.fromkeys(VARIABLES, "")))


@pytest.mark.parametrize("way", WRONG)
def test_wrong_credentials_are_told(user, way):
    done = user.fetch(**WRONG[way](user))
    done.check_refused(PAGES[COMPETITION], "refuses your credentials", "KAGGLE_API_TOKEN", "kaggle.json", *OTHER_WAYS)
    assert not user.server.signed


@pytest.mark.parametrize("given", UNUSABLE)
def test_credentials_that_cannot_be_sent_are_told_without_them(user, given):
    user.fetch(**UNUSABLE[given]).check_refused("your Kaggle credentials cannot be used", *OTHER_WAYS)


def test_rules_that_are_not_accepted_are_named(user):
    user.server.refusals = [(403, RULES)]
    done = user.fetch(KAGGLE_API_TOKEN=TOKEN)
    done.check_refused(f"{PAGES[COMPETITION]}/rules", "'I Understand and Accept'", *OTHER_WAYS)


@pytest.mark.parametrize("source", [DATASET, COMPETITION])
@pytest.mark.parametrize(("status", "told"), [(404, "(any more)"), (403, "private"), (400, "400 Bad Request")])
def test_a_refusal_names_the_page(user, source, status, told):
    user.server.refusals = [(status, {"code": status, "message": f"Permission denied to {TOKEN}"})]
    user.fetch(source, KAGGLE_API_TOKEN=TOKEN).check_refused(source[1], PAGES[source], told, *OTHER_WAYS)
    assert not user.partial.exists()


def test_a_cut_is_resumed_at_a_fresh_address(user):
    user.server.blob.faults = [Fault(cut=5000), Fault(cut=10000), Fault(status=503)]
    check_fetched(user, user.fetch(KAGGLE_API_TOKEN=TOKEN))
    assert [request.range for request in user.server.blob.requests] == [
        None, "bytes=4096-", "bytes=13312-", "bytes=13312-"
    ]  # fmt: skip
    assert user.server.signed == [2, 2, 2, 2]


def test_a_file_that_changed_in_between_is_not_joined(user):
    user.server.blob.faults = [Fault(cut=5000), Fault(headers={"ETag": '"other"'})]
    check_fetched(user, user.fetch(KAGGLE_API_TOKEN=TOKEN))
    assert [request.range for request in user.server.blob.requests] == [None, "bytes=4096-", None]


def test_stalls_anywhere_are_waited_out(user):
    user.server.stalls = ["IntrospectToken", "IntrospectToken", "DownloadDataFiles", "blob"]
    user.server.blob.faults = [Fault(stall=5000)]
    check_fetched(user, user.fetch(haste={"READ_TIMEOUT": 0.6, "ATTEMPTS": 9}, KAGGLE_API_TOKEN=TOKEN))
    assert user.server.blob.requests[-1].range == "bytes=4096-"


def test_errors_of_the_api_are_tried_again(user):
    user.server.refusals = [(503, {}), (429, {"code": 429, "message": "Too many requests"})]
    check_fetched(user, user.fetch(KAGGLE_API_TOKEN=TOKEN))


def test_a_lasting_stall_keeps_the_bytes(user):
    user.server.blob.faults = [Fault(stall=5000), Fault(stall=0)]
    done = user.fetch(haste={"READ_TIMEOUT": 1.0, "ATTEMPTS": 2}, KAGGLE_API_TOKEN=TOKEN)
    done.check_refused(PAGES[COMPETITION], "the server stalled, 2 times; 4,096 bytes are kept", *OTHER_WAYS)
    assert user.partial.read_bytes() == CONTENT[:4096]
    check_fetched(user, user.fetch(KAGGLE_API_TOKEN=TOKEN))
    assert user.server.blob.requests[-1].range == "bytes=4096-"


def test_a_blob_that_refuses_the_client_is_asked_again(user):
    user.server.opening = [403, 404, 500]
    check_fetched(user, user.fetch(KAGGLE_API_TOKEN=TOKEN))


@pytest.mark.parametrize("status", [403, 503])
def test_a_blob_that_refuses_is_told_without_its_address(user, status):
    user.server.blob.faults = [Fault(status=status)] * 2
    done = user.fetch(haste={"ATTEMPTS": 2}, KAGGLE_API_TOKEN=TOKEN)
    done.check_refused(PAGES[COMPETITION], f"the server answers {status}", "data.path")
    assert SIGNATURE not in done.err


def test_a_server_that_is_gone_is_told_without_a_secret(user):
    user.server.address = "http://127.0.0.1:9"
    done = user.fetch(KAGGLE_USERNAME=USER, KAGGLE_KEY=KEY)
    done.check_refused("the connection broke", "0 bytes are kept", *OTHER_WAYS)


def test_a_blob_that_is_gone_is_told_without_its_address(user):
    user.server.blob.address = "http://127.0.0.1:9"
    done = user.fetch(haste={"ATTEMPTS": 2}, KAGGLE_API_TOKEN=TOKEN)
    done.check_refused(PAGES[COMPETITION], "the connection broke", "?…", *OTHER_WAYS)


def test_a_file_that_cannot_grow_is_kept_and_resumed(user):
    done = user.fetch(before=LIMIT_OF_FILES, KAGGLE_API_TOKEN=TOKEN)
    done.check_refused(PAGES[COMPETITION], "File too large", f"bytes are free in {user.folder}", "5,000 bytes of the")
    assert user.partial.read_bytes() == CONTENT[:5000]
    check_fetched(user, user.fetch(KAGGLE_API_TOKEN=TOKEN))
    assert user.server.blob.requests[-1].range == "bytes=5000-"


@pytest.mark.skipif(not CAN_MOUNT, reason="no small disk can be mounted here")
def test_a_full_disk_is_told_with_the_room_that_is_left(user):
    mount = f'mount -t tmpfs -o size=16k tmpfs . && cd {user.folder} && "$@"; cp data.zip.part {user.home}; exit 1'
    user.server.within = ("unshare", "-rm", "sh", "-c", mount, "sh")
    done = user.fetch(KAGGLE_API_TOKEN=TOKEN)
    done.check_refused("No space left on device", f"bytes are free in {user.folder}")
    kept = (user.home / "data.zip.part").read_bytes()
    assert 4096 <= len(kept) < 16384
    assert CONTENT.startswith(kept)
    assert f"{len(kept):,} bytes of the file are kept" in done.err


def test_no_secret_is_written_anywhere(user):
    """Sentinel keys in every place; searched is every file but those that the user wrote."""
    user.server.refusals = [(404, {"code": 404, "message": TOKEN}), (403, {"code": 403, "message": TOKEN})]
    user.server.blob.faults = [Fault(cut=5000), Fault(status=403)]
    written = {user.write(".kaggle/kaggle.json", key_file()), user.write(".kaggle/access_token", TOKEN)}
    for env in ({}, {"VERBOSE": "1"}, {"SEG_TRACEBACK": "1"}, {"KAGGLE_API_TOKEN": "SENTINEL-WRONG"}):
        user.fetch(**env).check_silent()
    user.server.blob.faults = [Fault(cut=5000)] * 5
    user.fetch().check_silent()
    user.fetch().check_silent()
    files = [file for root in (user.home, user.folder) for file in root.rglob("*") if file.is_file()]
    assert user.partial in files
    for file in set(files) - written:
        assert b"SENTINEL" not in file.read_bytes()
    assert list(user.folder.iterdir()) == [user.partial]
