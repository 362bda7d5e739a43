"""Archives from Kaggle: its own client logs in and asks for them, `seglib.download` fetches them.

The client prints keys when told to be verbose, waits for ever and goes on without credentials; none of
this gets out of here. Its exceptions hold the request that failed, headers included, so new ones are
raised where none is being handled: they carry no context.
"""

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from functools import wraps
from http.client import responses
from pathlib import Path
from typing import Any

import requests
from requests.adapters import HTTPAdapter

from seglib import download
from seglib.errors import SegError
from seglib.io.sample import Kaggle

SITE = "https://www.kaggle.com"
OTHER_WAYS = "Or name a copy of your own (data.path) or a mirror (data.url)"
NEW_TOKEN = f"log in at {SITE}, press 'Generate New Token' at {SITE}/settings/api"
CREDENTIALS = ("access_token", "access_token.txt", "credentials.json", "kaggle.json")
VERBOSE = ("VERBOSE", "VERBOSE_OUTPUT")
"""Variables that make the client print every header, and read a whole archive into memory."""


def page(source: Kaggle) -> str:
    """The address at which people look at it."""
    return f"{SITE}/{source.kind}s/{source.slug}"


def archive_name(source: Kaggle) -> str:
    """The file that the client would write."""
    return source.slug.rpartition("/")[2] + ".zip"


def ask(source: Kaggle) -> requests.PreparedRequest:
    """Let the client log in and ask for the archive; returns the request that is answered with its bytes.

    Its address is signed and expires soon, so ask anew before each try and never show it. Raises SegError
    where there are no credentials or Kaggle refuses, a `requests` exception where another try may help.
    """
    problem: Exception
    try:
        with _silence(), _time_limit(), _log_in(source).build_kaggle_client() as client:
            answer = _download(client, source)
            answer.close()
            return answer.request
    except SegError as error:
        problem = SegError(*error.args)
    except requests.HTTPError as error:
        problem = _refusal(source, error)
    except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError) as error:
        problem = requests.ConnectionError(download.without_query(str(error)))
    except requests.Timeout:
        problem = requests.Timeout("Kaggle stalled")
    except SystemExit:
        problem = _wrong_credentials(source)
    except Exception as error:
        problem = _failure(source, error)
    raise problem


def warn_of_readable_keys() -> None:
    """Say which files with Kaggle credentials others may read."""
    home = Path("~/.kaggle").expanduser()
    other = Path(os.environ.get("XDG_CONFIG_HOME") or "~/.config").expanduser() / "kaggle"
    folders = {home, Path(os.environ.get("KAGGLE_CONFIG_DIR") or other)}
    files = {folder / name for folder in folders for name in CREDENTIALS}
    named = os.environ.get("KAGGLE_API_TOKEN", "")
    if "/" in named and len(named) < 200:  # a path; longer, it is a token
        files.add(Path(named).expanduser())
    for file in sorted(files):
        if file.is_file() and file.stat().st_mode & 0o044:
            print(f"warning: others can read your Kaggle key; run `chmod 600 {file}`", file=sys.stderr)


def _log_in(source: Kaggle) -> Any:
    """The client's own interface, once it holds credentials; whether Kaggle takes a key shows later."""
    import kaggle  # logs in, and keeps to itself what went wrong

    api = kaggle.api
    if not _has_credentials(api):
        raise SegError(
            f"{page(source)}: Kaggle asks for a login, and there are no credentials: {NEW_TOKEN} and save the token "
            f"as ~/.kaggle/access_token (chmod 600) or in KAGGLE_API_TOKEN; an older kaggle.json goes to {api.config}, "
            f"its values may also stand in KAGGLE_USERNAME and KAGGLE_KEY. {OTHER_WAYS}"
        )
    if api.CONFIG_NAME_AUTH_METHOD not in api.config_values:
        api.authenticate()  # again, to learn why it failed
    return api


def _has_credentials(api: Any) -> bool:
    """Whether there are any; without, or with an empty key, the client would go on unnamed."""
    from kagglesdk.kaggle_creds import KaggleCredentials
    from kagglesdk.kaggle_env import get_access_token_from_env

    has_key = all(api.config_values.get(name) for name in (api.CONFIG_NAME_USER, api.CONFIG_NAME_KEY))
    logged_in = Path(KaggleCredentials.DEFAULT_CREDENTIALS_FILE).expanduser().exists()
    return bool(get_access_token_from_env()[0]) or has_key or logged_in


def _download(client: Any, source: Kaggle) -> requests.Response:
    """The client's answer, redirected to where the bytes lie, but not read."""
    if source.kind == "competition":
        from kagglesdk.competitions.types.competition_api_service import ApiDownloadDataFilesRequest

        request = ApiDownloadDataFilesRequest()
        request.competition_name = source.slug
        return client.competitions.competition_api_client.download_data_files(request)
    from kagglesdk.datasets.types.dataset_api_service import ApiDownloadDatasetRequest

    request = ApiDownloadDatasetRequest()
    request.owner_slug, _, request.dataset_slug = source.slug.partition("/")
    return client.datasets.dataset_api_client.download_dataset(request)


def _refusal(source: Kaggle, error: requests.HTTPError) -> Exception:
    answer = error.response
    if answer is None:
        return requests.HTTPError("Kaggle gives no answer")
    told = f"Kaggle answers {answer.status_code} {responses.get(answer.status_code, '')}".rstrip()
    if answer.history or answer.status_code >= 500 or answer.status_code == requests.codes.too_many_requests:
        return requests.HTTPError(told)
    if answer.status_code == requests.codes.unauthorized:
        return _wrong_credentials(source)
    if answer.status_code == requests.codes.forbidden:
        return _forbidden(source, told, by_rules="rules" in str(error))
    if answer.status_code in (requests.codes.not_found, requests.codes.gone):
        return SegError(
            f"there is no {source.kind} '{source.slug}' (any more): {told}; see whether {page(source)} leads to its "
            f"new name, and correct PUBLISHED in the data set's file. {OTHER_WAYS}"
        )
    return SegError(f"{page(source)}: {told}; see whether the page opens. {OTHER_WAYS}")


def _forbidden(source: Kaggle, told: str, *, by_rules: bool) -> SegError:
    if by_rules:
        return SegError(
            f"{page(source)}: {told}, for you have not accepted the rules: with the account of your credentials, "
            f"open {page(source)}/rules, press 'Join Competition' or 'Late Submission', then 'I Understand and "
            f"Accept', and run again. {OTHER_WAYS}"
        )
    return SegError(
        f"{page(source)}: {told}: it is private, or its page asks for your consent; open it, logged in with the "
        f"account of your credentials. {OTHER_WAYS}"
    )


def _wrong_credentials(source: Kaggle) -> SegError:
    return SegError(
        f"{page(source)}: Kaggle refuses your credentials: wrong, expired or revoked. The client takes "
        "KAGGLE_API_TOKEN (a token, or an existing file that holds it) before ~/.kaggle/access_token, and a token "
        f"before KAGGLE_USERNAME with KAGGLE_KEY and kaggle.json; delete what is old, {NEW_TOKEN}. {OTHER_WAYS}"
    )


def _failure(source: Kaggle, error: Exception) -> SegError:
    kind = type(error).__name__
    if isinstance(error, ImportError):
        return SegError(f"the kaggle client cannot be imported ({kind}); run `make repro` to install it. {OTHER_WAYS}")
    if isinstance(error, ValueError | OSError) and not isinstance(error, requests.RequestException):
        return SegError(
            f"{page(source)}: your Kaggle credentials cannot be used ({kind}): they hold a line break or a foreign "
            "character, are too long for KAGGLE_API_TOKEN (save them as ~/.kaggle/access_token), lie in a file that "
            f"may not be read, or KAGGLE_CONFIG_DIR may not be written. {OTHER_WAYS}"
        )
    return SegError(f"{page(source)}: the kaggle client fails ({kind}); try another version of it. {OTHER_WAYS}")


@contextmanager
def _silence() -> Iterator[None]:
    """Keep from the terminal what the client prints, and from the client what makes it print all.

    It takes an empty variable for a key; an empty one is none.
    """
    empty = [name for name, value in os.environ.items() if name.startswith("KAGGLE_") and not value]
    taken = {name: os.environ.pop(name) for name in [*VERBOSE, *empty] if name in os.environ}
    try:
        with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
            yield
    finally:
        os.environ.update(taken)


@contextmanager
def _time_limit() -> Iterator[None]:
    """Give a limit to requests without one: the client's own, which begin when it is imported."""
    send = HTTPAdapter.send

    @wraps(send)
    def send_in_time(self: HTTPAdapter, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        options["timeout"] = options.get("timeout") or (download.CONNECT_TIMEOUT, download.READ_TIMEOUT)
        return send(self, request, **options)

    setattr(HTTPAdapter, "send", send_in_time)  # noqa: B010  (assigning to a method is a type error)
    try:
        yield
    finally:
        setattr(HTTPAdapter, "send", send)  # noqa: B010  (as above)
