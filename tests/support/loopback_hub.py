"""A stand-in for the Hub on 127.0.0.1 that speaks to the real client, keeps large files on disk, and fails on demand.

    with serve(folder) as hub:
        HfApi(endpoint=hub.url, token="hf_writer")

or `python tests/support/loopback_hub.py PORT FOLDER`, with `HF_ENDPOINT=http://127.0.0.1:PORT HF_HUB_DISABLE_XET=1` for
the client. Xet, the Hub's own upload protocol, is not spoken.
"""

import base64
import datetime
import hashlib
import importlib.util
import json
import re
import socket
import struct
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import yaml

LARGE = (".safetensors", ".bin", ".parquet", ".pt")  # what the Hub's own .gitattributes sends to large file storage
CHUNK = 1 << 20
# Some of the Hub's list of licenses; codes of ISO 639-1 to 639-3 from a file that the library datasets brings.
LICENSES = (
    "apache-2.0 mit bsd-3-clause cc0-1.0 cc-by-4.0 cc-by-sa-4.0 cc-by-nc-4.0 cc-by-nc-sa-4.0 unknown other".split()
)
LANGUAGES = Path(importlib.util.find_spec("datasets").origin).with_name("utils") / "resources" / "languages.json"


@dataclass(frozen=True)
class Account:
    """Whose a token is, and what it may do."""

    name: str
    role: str = "write"
    orgs: dict[str, str] = field(default_factory=dict)
    scoped: dict[str, list[str]] = field(default_factory=dict)

    def writes_to(self, namespace: str) -> bool:
        if self.role == "fineGrained":
            return "repo.write" in self.scoped.get(namespace, [])
        return self.role == "write" and (namespace == self.name or self.orgs.get(namespace) in ("admin", "write"))

    def reads(self, namespace: str) -> bool:
        return namespace == self.name or namespace in self.orgs

    def to_json(self) -> dict:
        token = {"displayName": "test", "role": self.role, "createdAt": "2026-01-01T00:00:00.000Z"}
        if self.role == "fineGrained":
            scoped = [
                {"entity": {"_id": "0", "type": "user" if name == self.name else "org", "name": name}, "permissions": p}
                for name, p in self.scoped.items()
            ]
            token["fineGrained"] = {"canReadGatedRepos": False, "global": [], "scoped": scoped}
        orgs = [{"type": "org", "id": "0", "name": name, "roleInOrg": role} for name, role in self.orgs.items()]
        auth = {"type": "access_token", "accessToken": token}
        return {"type": "user", "id": "0", "name": self.name, "fullname": self.name, "orgs": orgs, "auth": auth}


ACCOUNTS = {
    "hf_writer": Account("tester", orgs={"team": "write", "audience": "read"}),
    "hf_reader": Account("tester", "read"),
    "hf_other": Account("other"),
    "hf_fine": Account(
        "tester", "fineGrained", {"team": "write"}, {"tester": ["repo.content.read"], "team": ["repo.write"]}
    ),
}


@dataclass(frozen=True)
class File:
    """A file of a commit: its bytes, or of a large one the name in the storage."""

    oid: str
    size: int
    content: bytes | None

    @classmethod
    def of(cls, content: bytes) -> "File":
        return cls(hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest(), len(content), content)


@dataclass(frozen=True)
class Commit:
    sha: str
    message: str
    tree: dict[str, File]


class Repository:
    """A repository: its commits, the newest last, its branches and its tags."""

    def __init__(self, kind: str, id_: str, private: bool):
        self.kind, self.id, self.private = kind, id_, private
        self.commits: list[Commit] = []
        self.branches: dict[str, str] = {}
        self.tags: dict[str, str] = {}
        self.add("initial commit", {".gitattributes": File.of(b"*.safetensors filter=lfs diff=lfs merge=lfs -text\n")})

    def add(self, message: str, tree: dict[str, File], branch: str = "main") -> Commit:
        sha = hashlib.sha1(f"{self.kind}{self.id}{len(self.commits)}{message}".encode()).hexdigest()
        self.commits.append(Commit(sha, message, tree))
        self.branches[branch] = sha
        return self.commits[-1]

    def at(self, revision: str) -> Commit | None:
        sha = self.branches.get(revision) or self.tags.get(revision) or revision
        return next((commit for commit in self.commits if commit.sha == sha), None)

    @property
    def head(self) -> Commit:
        return self.at("main")


@dataclass
class Failure:
    """What goes wrong with the next `times` requests that `pattern` finds in `METHOD PATH`."""

    pattern: str
    times: int
    status: int | None = None
    after: int = 0
    processed: bool = False


class Hub(ThreadingHTTPServer):
    """The server; `calls` are the requests so far, `unknown` those that match no route."""

    daemon_threads = True

    def __init__(self, folder: Path, port: int = 0):
        super().__init__(("127.0.0.1", port), Handler)
        self.folder = folder
        self.folder.mkdir(parents=True, exist_ok=True)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.repos: dict[tuple[str, str], Repository] = {}
        self.calls: list[str] = []
        self.unknown: list[str] = []
        self.failures: list[Failure] = []
        self.lock = threading.Lock()

    def __enter__(self) -> "Hub":
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.shutdown()
        self.server_close()

    def fail(self, pattern: str, status: int, times: int = 1) -> None:
        """The next requests that match fail with this status."""
        self.failures.append(Failure(pattern, times, status))

    def cut(self, pattern: str, after: int = 0, times: int = 1) -> None:
        """The connection of the next requests that match breaks after so many bytes of their body."""
        self.failures.append(Failure(pattern, times, after=after))

    def lose_response(self, pattern: str, times: int = 1) -> None:
        """The next requests that match do what they ask for, and the connection breaks before the response."""
        self.failures.append(Failure(pattern, times, processed=True))

    def next_failure(self, call: str) -> Failure | None:
        with self.lock:
            failure = next((one for one in self.failures if one.times and re.search(one.pattern, call)), None)
            if failure:
                failure.times -= 1
            return failure

    def content(self, file: File) -> bytes:
        return file.content if file.content is not None else (self.folder / file.oid).read_bytes()

    def handle_error(self, request: object, address: object) -> None:
        """Logs nothing of clients that disconnect."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, address)


class Refusal(Exception):
    def __init__(self, status: int, message: str, code: str = ""):
        super().__init__(message)
        self.status, self.message, self.code = status, message, code


class Cut(Exception):
    pass


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    server: Hub

    ROUTES = (
        ("GET", r"/api/whoami-v2", "whoami"),
        ("GET", r"/api/agent-harnesses", "agent_harnesses"),
        ("POST", r"/api/validate-yaml", "validate_yaml"),
        ("POST", r"/api/repos/create", "create"),
        ("PUT", r"/_lfs/(?P<oid>[0-9a-f]{64})", "store"),
        ("POST", r"/(?P<kind>datasets/|spaces/)?(?P<id>[^/]+/[^/]+)\.git/info/lfs/objects/batch", "batch"),
        (
            "GET",
            r"/(?P<kind>datasets/|spaces/)?(?P<id>[^/]+/[^/]+)/resolve/(?P<revision>[^/]+)/(?P<path>.+)",
            "resolve",
        ),
        ("GET", r"/api/(?P<kind>\w+)s/(?P<id>[^/]+/[^/]+)(?:/revision/(?P<revision>.+))?", "info"),
        ("GET", r"/api/(?P<kind>\w+)s/(?P<id>[^/]+/[^/]+)/auth-check(?P<write>/write)?", "auth_check"),
        ("GET", r"/api/(?P<kind>\w+)s/(?P<id>[^/]+/[^/]+)/refs", "refs"),
        ("GET", r"/api/(?P<kind>\w+)s/(?P<id>[^/]+/[^/]+)/commits/(?P<revision>.+)", "commits"),
        ("GET", r"/api/(?P<kind>\w+)s/(?P<id>[^/]+/[^/]+)/tree/(?P<revision>[^/]+)(?:/(?P<path>.*))?", "tree"),
        ("POST", r"/api/(?P<kind>\w+)s/(?P<id>[^/]+/[^/]+)/paths-info/(?P<revision>.+)", "paths_info"),
        ("POST", r"/api/(?P<kind>\w+)s/(?P<id>[^/]+/[^/]+)/preupload/(?P<revision>.+)", "preupload"),
        ("POST", r"/api/(?P<kind>\w+)s/(?P<id>[^/]+/[^/]+)/commit/(?P<revision>.+)", "commit"),
        ("POST", r"/api/(?P<kind>\w+)s/(?P<id>[^/]+/[^/]+)/tag/(?P<revision>.+)", "tag"),
        ("PUT", r"/api/(?P<kind>\w+)s/(?P<id>[^/]+/[^/]+)/settings", "settings"),
    )

    def log_message(self, *args: object) -> None:
        pass

    def handle_request(self) -> None:
        parts = urlsplit(self.path)
        # A revision may hold a quoted slash, refs%2Fpr%2F1; none of the tests' does.
        path, self.query = unquote(parts.path), parse_qs(parts.query)
        call = f"{self.command} {path}"
        self.server.calls.append(call)
        try:
            failure = self.server.next_failure(call)
            self.loses_response = bool(failure and failure.processed)
            if failure and failure.status is None and not failure.processed:
                self.rfile.read(min(failure.after, int(self.headers.get("Content-Length", 0))))
                raise Cut
            spool = self.spool() if path.startswith("/_lfs/") and self.command == "PUT" else None
            self.body = b"" if spool else b"".join(self.read_body())
            if failure and failure.status:
                raise Refusal(failure.status, "The test asked for this failure.")
            self.user = self.account()
            method = "GET" if self.command == "HEAD" else self.command
            for verb, pattern, name in self.ROUTES:
                if verb == method and (match := re.fullmatch(pattern, path)):
                    return getattr(self, f"serve_{name}")(spool, **match.groupdict())
            self.server.unknown.append(call)
            raise Refusal(404, "no such route")
        except Refusal as refusal:
            headers = {"X-Error-Message": refusal.message} | ({"X-Error-Code": refusal.code} if refusal.code else {})
            self.reply({"error": refusal.message}, refusal.status, headers)
        except Cut:
            # Without the linger, what was sent would still be acknowledged, and the client would see an orderly end.
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
            self.close_connection = True

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = handle_request

    def read_body(self) -> Iterator[bytes]:
        """The request's body in pieces."""
        if "chunked" in self.headers.get("Transfer-Encoding", ""):
            yield from self._chunked()
        left = int(self.headers.get("Content-Length", 0))
        while left:
            piece = self.rfile.read(min(left, CHUNK))
            if not piece:
                raise Cut
            left -= len(piece)
            yield piece

    def _chunked(self) -> Iterator[bytes]:
        while size := int(self.rfile.readline().strip() or b"0", 16):
            yield self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()

    def spool(self) -> tuple[Path, str]:
        """The body as a file, and its SHA-256."""
        digest, path = hashlib.sha256(), self.server.folder / f"{threading.get_ident()}.part"
        with path.open("wb") as file:
            for piece in self.read_body():
                digest.update(piece)
                file.write(piece)
        return path, digest.hexdigest()

    def reply(self, payload: object = b"", status: int = 200, headers: dict[str, str] | None = None) -> None:
        if self.loses_response:
            raise Cut
        body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        kind = "application/octet-stream" if isinstance(payload, bytes) else "application/json"
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def account(self) -> Account | None:
        token = self.headers.get("Authorization", "").removeprefix("Bearer ").strip()
        if token and token not in ACCOUNTS:
            raise Refusal(401, "Invalid credentials in Authorization header")
        return ACCOUNTS.get(token)

    def repository(self, kind: str | None, id_: str, write: bool = False) -> Repository:
        kind = (kind or "model").rstrip("/").removesuffix("s") or "model"
        repo, namespace = self.server.repos.get((kind, id_)), id_.partition("/")[0]
        if repo is None or (repo.private and not (self.user and self.user.reads(namespace))):
            raise Refusal(404 if self.user else 401, "Repository not found", "RepoNotFound")
        if write and not (self.user and self.user.writes_to(namespace)):
            raise Refusal(403, f"Forbidden: you must use a write token to upload to {id_}")
        return repo

    def revision(self, repo: Repository, revision: str | None) -> Commit:
        if found := repo.at(revision or "main"):
            return found
        raise Refusal(404, f"Invalid rev id: {revision}", "RevisionNotFound")

    def serve_whoami(self, spool: None) -> None:
        if not self.user:
            raise Refusal(401, "Invalid username or password.")
        self.reply(self.user.to_json())

    def serve_agent_harnesses(self, spool: None) -> None:
        self.reply({"standardEnvVars": [], "harnesses": {}})

    def serve_validate_yaml(self, spool: None) -> None:
        try:
            errors = [{"message": text} for text in mistakes(card_data(json.loads(self.body)["content"]))]
        except yaml.YAMLError as error:
            errors = [{"message": str(error)}]
        self.reply({"errors": errors, "warnings": []}, 400 if errors else 200)

    def serve_create(self, spool: None) -> None:
        asked = json.loads(self.body)
        kind, namespace = asked.get("type") or "model", asked.get("organization") or (self.user and self.user.name)
        if not self.user:
            raise Refusal(401, "Invalid username or password.")
        if not self.user.writes_to(namespace):
            raise Refusal(403, f'You don\'t have the rights to create a {kind} under the namespace "{namespace}"')
        id_ = f"{namespace}/{asked['name']}"
        url = f"{self.server.url}/{'' if kind == 'model' else kind + 's/'}{id_}"
        with self.server.lock:
            if (kind, id_) in self.server.repos:
                return self.reply({"error": f"You already created this {kind} repo", "url": url}, 409)
            self.server.repos[kind, id_] = Repository(kind, id_, asked.get("visibility") == "private")
        self.reply({"url": url, "name": id_, "id": id_})

    def serve_store(self, spool: tuple[Path, str], oid: str) -> None:
        path, digest = spool
        if digest != oid:
            path.unlink()
            raise Refusal(400, "sha256 mismatch")
        path.rename(self.server.folder / oid)
        self.reply()

    def serve_batch(self, spool: None, kind: str | None, id: str) -> None:
        self.repository(kind, id, write=True)
        objects = []
        for wanted in json.loads(self.body)["objects"]:
            upload = {"href": f"{self.server.url}/_lfs/{wanted['oid']}", "header": {}}
            there = (self.server.folder / wanted["oid"]).exists()
            objects.append(wanted | ({} if there else {"actions": {"upload": upload}}))
        self.reply({"transfer": "basic", "objects": objects})

    def serve_resolve(self, spool: None, kind: str | None, id: str, revision: str, path: str) -> None:
        found = self.revision(self.repository(kind, id), revision)
        if path not in found.tree:
            return self.reply(b"", 404, {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": found.sha})
        file = found.tree[path]
        data, status = self.server.content(file), 200
        headers = {"X-Repo-Commit": found.sha, "ETag": f'"{file.oid}"', "Accept-Ranges": "bytes"}
        if file.content is None:
            headers |= {"X-Linked-Etag": f'"{file.oid}"', "X-Linked-Size": str(file.size)}
        if asked := re.match(r"bytes=(\d+)-(\d*)", self.headers.get("Range", "")):
            first, last = int(asked[1]), int(asked[2] or file.size - 1)
            headers["Content-Range"] = f"bytes {first}-{last}/{file.size}"
            data, status = data[first : last + 1], 206
        self.reply(data, status, headers)

    def serve_info(self, spool: None, kind: str, id: str, revision: str | None) -> None:
        repo = self.repository(kind, id)
        found = self.revision(repo, revision)
        readme, config = (found.tree.get(name) for name in ("README.md", "config.json"))
        card = card_data(self.server.content(readme).decode()) if readme else {}
        now = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
        self.reply(
            {
                "_id": "0",
                "id": id,
                "modelId": id,
                "author": id.partition("/")[0],
                "sha": found.sha,
                "private": repo.private,
                "gated": False,
                "disabled": False,
                "downloads": 0,
                "likes": 0,
                "tags": card.get("tags", []),
                "library_name": card.get("library_name"),
                "pipeline_tag": card.get("pipeline_tag"),
                "cardData": card,
                "config": json.loads(self.server.content(config)) if config else {},
                "createdAt": now,
                "lastModified": now,
                "siblings": [{"rfilename": path} for path in sorted(found.tree)],
                "usedStorage": 0,
            }
        )

    def serve_auth_check(self, spool: None, kind: str, id: str, write: str | None) -> None:
        self.repository(kind, id, write=bool(write))
        self.reply({})

    def serve_refs(self, spool: None, kind: str, id: str) -> None:
        repo = self.repository(kind, id)
        named = {
            group: [{"name": name, "ref": f"refs/{ref}/{name}", "targetCommit": sha} for name, sha in refs.items()]
            for group, ref, refs in (("branches", "heads", repo.branches), ("tags", "tags", repo.tags))
        }
        self.reply({**named, "converts": []})

    def serve_commits(self, spool: None, kind: str, id: str, revision: str) -> None:
        repo = self.repository(kind, id)
        last = repo.commits.index(self.revision(repo, revision))
        date = "2026-01-01T00:00:00.000Z"
        self.reply(
            [
                {"id": commit.sha, "title": commit.message, "message": "", "date": date, "authors": []}
                for commit in reversed(repo.commits[: last + 1])
            ]
        )

    def serve_tree(self, spool: None, kind: str, id: str, revision: str, path: str | None) -> None:
        tree = self.revision(self.repository(kind, id), revision).tree
        prefix = f"{path.rstrip('/')}/" if path else ""
        inside = [name for name in sorted(tree) if name.startswith(prefix)]
        if prefix and not inside:
            raise Refusal(404, f"{path} does not exist on {revision}", "EntryNotFound")
        if self.query.get("recursive", ["false"])[0].lower() in ("true", "1"):
            return self.reply([entry(name, tree[name]) for name in inside])
        folders = {prefix + name[len(prefix) :].partition("/")[0] for name in inside} - {*inside}
        files = [entry(name, tree[name]) for name in inside if "/" not in name[len(prefix) :]]
        self.reply(
            [{"type": "directory", "path": name, "oid": "0" * 40, "size": 0} for name in sorted(folders)] + files
        )

    def serve_paths_info(self, spool: None, kind: str, id: str, revision: str) -> None:
        tree = self.revision(self.repository(kind, id), revision).tree
        asked = json.loads(self.body)["paths"] if self.body[:1] == b"{" else parse_qs(self.body.decode())["paths"]
        self.reply([entry(name, tree[name]) for name in asked if name in tree])

    def serve_preupload(self, spool: None, kind: str, id: str, revision: str) -> None:
        found = self.revision(self.repository(kind, id, write=True), revision)
        files = []
        for file in json.loads(self.body)["files"]:
            name, old = file["path"], found.tree.get(file["path"])
            mode = "lfs" if name.endswith(LARGE) or file["size"] > 10_000_000 else "regular"
            files.append({"path": name, "shouldIgnore": False, "uploadMode": mode, "oid": old.oid if old else None})
        self.reply({"commitOid": found.sha, "files": files})

    def serve_commit(self, spool: None, kind: str, id: str, revision: str) -> None:
        repo = self.repository(kind, id, write=True)
        with self.server.lock:
            tree, message = dict(self.revision(repo, revision).tree), ""
            for line in self.body.decode().splitlines():
                key, value = json.loads(line).values()
                if key == "header":
                    message = value["summary"]
                    if not repo.branches[revision].startswith(value.get("parentCommit", "")):
                        raise Refusal(412, "A commit has happened since. Please refresh and try again.")
                elif key == "file":
                    tree[value["path"]] = File.of(base64.b64decode(value["content"]))
                elif key == "lfsFile":
                    stored = self.server.folder / value["oid"]
                    if not stored.exists():
                        raise Refusal(422, f"The LFS object {value['oid']} was never uploaded")
                    tree[value["path"]] = File(value["oid"], stored.stat().st_size, None)
                elif value["path"] not in tree:  # deletedFile; the tests delete no folders
                    raise Refusal(404, "A file with this name doesn't exist", "EntryNotFound")
                else:
                    del tree[value["path"]]
            made = repo.add(message, tree, revision)
        url = f"{self.server.url}/{id}/commit/{made.sha}"
        self.reply({"success": True, "commitOid": made.sha, "commitUrl": url, "hookOutput": ""})

    def serve_tag(self, spool: None, kind: str, id: str, revision: str) -> None:
        repo, name = self.repository(kind, id, write=True), json.loads(self.body)["tag"]
        if name in repo.tags:
            raise Refusal(409, "Tag reference exists already")
        repo.tags[name] = self.revision(repo, revision).sha
        self.reply({})

    def serve_settings(self, spool: None, kind: str, id: str) -> None:
        self.repository(kind, id, write=True).private = json.loads(self.body)["visibility"] == "private"
        self.reply({})


def entry(path: str, file: File) -> dict:
    lfs = {"lfs": {"oid": file.oid, "size": file.size, "pointerSize": 134}} if file.content is None else {}
    return {"type": "file", "path": path, "size": file.size, "oid": file.oid, **lfs}


def card_data(readme: str) -> dict:
    """The metadata at the head of a card."""
    head = re.match(r"---\r?\n(.*?)\r?\n---", readme, re.DOTALL)
    return (yaml.safe_load(head[1]) or {}) if head else {}


def mistakes(card: dict) -> Iterator[str]:
    """What the Hub does not take of a card's metadata, as far as it is known."""
    if card.get("license", "other") not in LICENSES:
        yield f'"license" must be one of [{", ".join(LICENSES)}]'
    if not re.fullmatch(r"[a-z0-9.-]+", card.get("license_name", "other")):
        yield '"license_name" fails to match the required pattern'
    languages = card.get("language", [])
    known = json.loads(LANGUAGES.read_text(encoding="utf-8"))
    for language in [languages] if isinstance(languages, str) else languages:
        if language not in known or not re.fullmatch("[a-z]{2,3}", language):
            yield f'"language" must be an ISO 639-1, 639-2 or 639-3 code; not {language!r}'
    for index, model in enumerate(card.get("model-index", [])):
        if not model.get("name"):
            yield f'"model-index[{index}].name" is required'
        for result in model["results"]:
            fields = {"task": ["type"], "dataset": ["type", "name"]}
            lacking = [
                f"{part}.{name}" for part, names in fields.items() for name in names if not result[part].get(name)
            ]
            lacking += ["metrics.type"] * any(not metric.get("type") for metric in result["metrics"])
            lacking += ["metrics.value"] * any(not isinstance(metric["value"], float) for metric in result["metrics"])
            for name in lacking:
                yield f'"model-index[{index}].results.{name}" is required'


def serve(folder: Path, port: int = 0) -> Hub:
    """A Hub that keeps large files in `folder`; use it in a `with`."""
    return Hub(folder, port)


if __name__ == "__main__":
    with serve(Path(sys.argv[2]), int(sys.argv[1])) as hub:
        print(hub.url, flush=True)
        threading.Event().wait()
