"""OASIS's own client makes a round trip
taxii2-client: discovery, root, collections, add, page, get, manifest, versions, delete."""
import uuid

from requests.auth import AuthBase
from requests.exceptions import HTTPError
from taxii2client.v21 import ApiRoot, Collection, Server, as_pages

from node import API_ROOT, INTAKE, Checks, Node, note

check = Checks()


class Bearer(AuthBase):
    """The client's own TokenAuth says `Token KEY`; RFC 6750 wants `Bearer KEY`."""

    def __init__(self, token):
        self.token = token

    def __call__(self, request):
        request.headers["Authorization"] = f"Bearer {self.token}"
        return request


def status_of(call, *args):
    """The HTTP status with which the server answers a call of the client."""
    try:
        call(*args)
        return 200
    except HTTPError as error:
        return error.response.status_code


def round_trip(node, how, credentials):
    server = Server(node.base + "/taxii2/", **credentials)
    check(f"{how}: discovery names the api root", any(r.url.rstrip("/").endswith(API_ROOT) for r in server.api_roots),
          [r.url for r in server.api_roots])
    root = ApiRoot(f"{node.base}{API_ROOT}/", **credentials)
    check(f"{how}: the root says TAXII 2.1 and how much it takes",
          any("version=2.1" in v for v in root.versions) and root.max_content_length >= 100_000_000,
          (root.versions, root.max_content_length))
    check(f"{how}: the intake collection is listed, readable and writable",
          any(c.id == INTAKE and c.can_read and c.can_write for c in root.collections), [c.id for c in root.collections])
    intake = Collection(f"{node.base}{API_ROOT}/collections/{INTAKE}/", **credentials)

    sent = {o["id"]: o for o in (note(f"EXERCISE {how} {n}") for n in range(25))}
    status = intake.add_objects({"objects": list(sent.values())}, wait_for_completion=True)
    check(f"{how}: 25 objects are added", (status.status, status.success_count, status.failure_count) == ("complete", 25, 0), status.status)
    seen = [o for page in as_pages(intake.get_objects, per_request=10) for o in page.get("objects", [])]
    ours = {o["id"]: o for o in seen if o["id"] in sent}
    check(f"{how}: paging ten at a time brings each one back, unchanged and once",
          ours == sent and sum(o["id"] in sent for o in seen) == 25, f"{len(ours)} of 25")
    first = next(iter(sent))
    check(f"{how}: one object by id", intake.get_object(first)["objects"] == [sent[first]])
    manifest = intake.get_manifest(id=",".join(list(sent)[:3]))["objects"]
    check(f"{how}: the manifest of three ids has three rows", {m["id"] for m in manifest} == set(list(sent)[:3]), manifest)
    newer = dict(sent[first], modified="2026-02-03T04:05:06.000Z")
    intake.add_objects({"objects": [newer]}, wait_for_completion=True)
    check(f"{how}: a newer version stands beside the older", len(intake.object_versions(first)["versions"]) == 2,
          intake.object_versions(first))
    check(f"{how}: the newest version is the answer", intake.get_object(first)["objects"] == [newer])
    intake.delete_object(first)
    check(f"{how}: after DELETE the object is gone", status_of(intake.get_object, first) == 404)
    check(f"{how}: an unknown id is 404", status_of(intake.get_object, f"note--{uuid.uuid4()}") == 404)


with Node() as node:
    node.eye("user", "add", "--name", "basic-client", "--role", "analyst", "--password-stdin", stdin="correct horse 4 Battery\n")
    round_trip(node, "basic", dict(user="basic-client", password="correct horse 4 Battery"))
    round_trip(node, "bearer", dict(auth=Bearer(node.token())))
    check("the ledger verifies afterwards", node.run("verify").returncode == 0)
check.finish()
