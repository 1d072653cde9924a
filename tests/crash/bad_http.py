"""hostile HTTP: floods, slow senders, smuggling shapes, odd paths, methods and lengths
Every request is raw bytes on a socket of loopback, each group bounded in number and time. After each group /health answers, a good
object is taken, memory stays below its bound, and the ledger verifies; what was refused is answered in words or the connection ends."""
import json
import pathlib
import socket
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "peers"))
from node import API_ROOT, INTAKE, MEDIA, Checks, Node, note  # noqa: E402

MEMORY_MB = 600  # resident, of a debug build
SLOW_S = 45  # a connection that says nothing whole is closed before
OBJECTS = f"{API_ROOT}/collections/{INTAKE}/objects/"
check = Checks()


def memory_mb(node):
    """Resident memory of the server in MB (10^6 bytes)."""
    for line in pathlib.Path(f"/proc/{node.process.pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) * 1024 / 1e6
    return 0.0


def raw(node, data, timeout=20, parts=None):
    """Sends bytes as they are; what comes back until the end of the answer, the connection or the time."""
    out = b""
    with socket.create_connection((node.host, node.port), timeout=timeout) as connection:
        try:
            for part in parts if parts is not None else [data]:
                connection.sendall(part)
        except OSError:
            pass  # refused in the middle of sending: the answer may be there all the same
        try:
            while chunk := connection.recv(65536):
                out += chunk
                if whole(out):
                    break
        except OSError:
            pass
    return out


def whole(out):
    """Whether a first answer is complete."""
    head, end, body = out.partition(b"\r\n\r\n")
    if not end:
        return False
    lines = [line.lower() for line in head.split(b"\r\n")]
    length = next((int(line.split(b":")[1]) for line in lines if line.startswith(b"content-length:")), None)
    return b"text/event-stream" in head.lower() or (length is not None and len(body) >= length) or body.endswith(b"0\r\n\r\n")


def status(out):
    return int(out.split(b" ", 2)[1]) if out.startswith(b"HTTP/1.") else None


def request(node, method="GET", path="/health", headers=(), body=b"", auth=True):
    lines = [f"{method} {path} HTTP/1.1".encode(), f"Host: {node.host}:{node.port}".encode()]
    if auth:
        lines.append(f"Authorization: Bearer {node.token()}".encode())
    lines += [h if isinstance(h, bytes) else h.encode() for h in headers]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def refused(out):
    """Closed without an answer, or an answer of 4xx or 501/505 (RFC 9110 §15.6.2, §15.6.6)."""
    return not out or (s := status(out)) is not None and (400 <= s < 500 or s in (501, 505))


def well(node, after):
    """The promise after everything: it serves, takes, verifies, stays small."""
    healthy = node.http("GET", "/health", auth=None).status == 200
    good = note(f"EXERCISE after {after}")
    node.post([good])
    there = node.taxii("GET", f"/objects/{good['id']}/").status == 200
    used = memory_mb(node)
    done = node.run("verify")
    check(f"after {after}: serves, takes, verifies, below {MEMORY_MB} MB",
          healthy and there and used < MEMORY_MB and done.returncode == 0, (healthy, there, f"{used:.0f} MB", done.stdout[-300:] + done.stderr[-300:]))
    return used


def smuggling(node):
    """Two readings of one message's length (RFC 9112 §6.3): refused, and no second request is answered."""
    hidden = b"GET /api/stats HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + node.token().encode() + b"\r\n\r\n"
    post = ["Content-Type: " + MEDIA, "Accept: " + MEDIA]
    shapes = {
        "two lengths": (post + ["Content-Length: 5", "Content-Length: 0"], b"12345" + hidden),
        "two lengths in one": (post + ["Content-Length: 5, 0"], b"12345" + hidden),
        "length with a sign": (post + ["Content-Length: +5"], b"12345"),
        "negative length": (post + ["Content-Length: -1"], b""),
        "length past 64 bits": (post + ["Content-Length: 99999999999999999999999"], b""),
        "chunked twice": (post + ["Transfer-Encoding: chunked, chunked"], b"0\r\n\r\n" + hidden),
        "unknown coding": (post + ["Transfer-Encoding: xchunked"], b"0\r\n\r\n" + hidden),
        "space before the colon": (post + [b"Content-Length : 5"], b"12345" + hidden),
        "folded header": (post + [b"X-A: b\r\n c"], b""),
        "bare CR in a header": (post + [b"X-A: b\rX-B: c"], b""),
        "NUL in a header": (post + [b"X-A: b\x00c"], b""),
        "chunk size of letters": (post + ["Transfer-Encoding: chunked"], b"zz\r\n\r\n"),
        "chunk size past 64 bits": (post + ["Transfer-Encoding: chunked"], b"fffffffffffffffffff\r\n"),
        "chunk extension flood": (post + ["Transfer-Encoding: chunked"], b"1;" + b"a" * 200_000 + b"\r\nx\r\n0\r\n\r\n"),
    }
    for name, (headers, body) in shapes.items():
        out = raw(node, request(node, "POST", OBJECTS, headers, body), timeout=5)
        check(f"smuggling, {name}: refused", refused(out) and b'"entries"' not in out, out[:200])
    out = raw(node, request(node, "POST", OBJECTS, post + ["Transfer-Encoding: chunked", "Content-Length: 4"], b"0\r\n\r\n" + hidden), timeout=5)
    check("smuggling, a length beside chunks: never two answers", out.count(b"HTTP/1.1 ") <= 1 and b'"entries"' not in out, out[:300])


def lengths(node):
    body = json.dumps({"objects": [note("EXERCISE length")]}).encode()
    post = ["Content-Type: " + MEDIA, "Accept: " + MEDIA]
    out = raw(node, request(node, "POST", OBJECTS, post + [f"Content-Length: {len(body) - 7}"], body), timeout=5)
    check("a length too short: the cut body is refused, the rest is no request", status(out) in (400, 422), out[:200])
    before = len([o for page in node.pages() for o in page])
    with socket.create_connection((node.host, node.port), timeout=5) as connection:
        connection.sendall(request(node, "POST", OBJECTS, post + [f"Content-Length: {len(body) + 50}"], body))
    check("a length too long and a hang-up: nothing is taken", len([o for page in node.pages() for o in page]) == before)
    out = raw(node, request(node, "POST", OBJECTS, post + ["Content-Length: 200000000"]), timeout=5)
    check("a length over the limit is refused before the body", status(out) == 413, out[:200])
    out = raw(node, request(node, "POST", OBJECTS, post + ["Content-Length: 200000000", "Expect: 100-continue"]), timeout=5)
    check("and before `100 Continue`", status(out) == 413, out[:200])
    out = raw(node, None, timeout=60, parts=[request(node, "POST", OBJECTS, post + ["Transfer-Encoding: chunked"])] + [b"100000\r\n" + b" " * (1 << 20) + b"\r\n"] * 130)
    check("130 MB in chunks without a length: refused", refused(out), out[:200])


def odd(node):
    methods = ["FOO", "PROPFIND", "TRACE", "CONNECT", "PATCH", "OPTIONS", "get", "A" * 5000]
    for method in methods:
        for path in ("/health", OBJECTS, "/search", "/stream/live", "/api/stats", "/sign-in"):
            out = raw(node, request(node, method, path), timeout=10)
            s = status(out)
            check(f"{method[:10]} {path[:25]}: no 5xx but 501", s is None or s < 500 or s == 501, out[:150])
    out = raw(node, request(node, "GET", "/stream/live", ["Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==", "Sec-WebSocket-Version: 13"]), timeout=5)
    check("a WebSocket upgrade is not followed", status(out) != 101, out[:100])
    out = raw(node, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\x00\x00\x00\x04\x00\x00\x00\x00\x00" + b"\xff" * 4000, timeout=5)
    check("HTTP/2 noise ends the connection", b" 200 " not in out[:20], out[:50])
    for junk in (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\xaa" * 300, b"GET\r\n\r\n", b"\r\n" * 50_000, b"GET / HTTP/9.9\r\n\r\n", b"\x00" * 70_000):
        check(f"junk {junk[:12]!r}: no answer of success", b" 200 " not in raw(node, junk, timeout=5)[:20])
    paths = ["/..%2f..%2fetc%2fpasswd", "/assets/..%2f..%2fetc%2fpasswd", "/assets/%2e%2e/%2e%2e/etc/passwd", "/assets/..\\..\\x", "//health//..//x",
             "/objects/..%2f..%2fkeys%2fsigning", "/taxii2/api/collections/..%2f..%2f/objects/", f"{OBJECTS}%00/", f"{OBJECTS}..%2f..%2f/versions/",
             "/stream/..%2flive", "/imports/-1", "/imports/99999999999999999999999", "/imports/%00", "/selectors/%00/%ff", "/objects/%ed%a0%80",
             "/search?q=%ed%a0%80", "/search?before=-1&q=x", "/search?before=99999999999999999999&q=x", "/search?q=" + "type:" * 2000, "/api/search?q=" + "%22" * 2000,
             "/api/search?limit=-1", "/api/search?q=a&q=b", "/api/objects/%2e%2e", "/api/links?limit=99999999999999999999", "/?" + "a" * 60_000,
             f"{OBJECTS}?match[id]=" + ",".join(["note--00000000-0000-4000-8000-000000000001"] * 1000)]
    for path in paths:
        out = raw(node, request(node, "GET", path, ["Accept: " + (MEDIA if "taxii2" in path else "text/html")]), timeout=10)
        s = status(out)
        check(f"GET {path[:50]}: no 5xx, no file", s is not None and s < 500 and b"root:" not in out, out[:150])


def floods(node):
    many = "&".join(f"p{n}=v{n}" for n in range(6_000))
    for path in ("/search?", "/api/search?", "/?", f"{OBJECTS}?", "/stream/live?", "/sign-in?"):
        s = status(raw(node, request(node, "GET", path + many, ["Accept: */*"]), timeout=20))
        check(f"6,000 query parameters, {path[:20]}: no 5xx", s is not None and s < 500, s)
    form = "&".join(f"f{n}=x" for n in range(100_000)).encode()
    out = raw(node, request(node, "POST", "/sign-in", ["Content-Type: application/x-www-form-urlencoded", f"Content-Length: {len(form)}"], form, auth=False), timeout=20)
    check("a form of 100,000 fields is refused", refused(out), out[:150])
    parts = b"".join(b'--b\r\nContent-Disposition: form-data; name="f%d"\r\n\r\nx\r\n' % n for n in range(100_000)) + b"--b--\r\n"
    for path in ("/import", "/report", "/sign-in"):
        out = raw(node, request(node, "POST", path, ["Content-Type: multipart/form-data; boundary=b", f"Content-Length: {len(parts)}"], parts), timeout=30)
        check(f"100,000 parts to {path}: refused or sent to sign in", out == b"" or status(out) < 500, out[:150])
    for name, headers in {"10,000 headers": [f"X-{n}: y" for n in range(10_000)], "one header of 1 MB": ["X-A: " + "y" * 1_000_000],
                          "a cookie of 300 kB": ["Cookie: eye=" + "a" * 300_000], "200 cookies": ["Cookie: " + "; ".join(f"c{n}={n}" for n in range(200))],
                          "a long Authorization": ["Authorization: Basic " + "QUFB" * 50_000]}.items():
        out = raw(node, request(node, "GET", "/api/stats", headers, auth=False), timeout=10)
        check(f"{name}: refused", refused(out), out[:100])
    for range_ in ("bytes=0-0,-1," * 2_000, "items=99999999999999999999-", "bytes=-1"):
        s = status(raw(node, request(node, "GET", OBJECTS, ["Range: " + range_, "Accept: " + MEDIA]), timeout=10))
        check(f"Range {range_[:20]}: no 5xx", s is not None and s < 500, s)
    out = raw(node, request(node, "GET", "/health") * 2_000, timeout=20)
    check("2,000 requests in one breath: the first is answered", status(out) == 200)


def slow(node):
    """Connections that never say anything whole: closed by themselves, and meanwhile everybody else is served."""
    held = []
    for n in range(300):
        connection = socket.create_connection((node.host, node.port), timeout=SLOW_S)
        if n % 3 == 0:
            connection.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\nX-Slow: ")
        elif n % 3 == 1:
            connection.sendall(request(node, "POST", OBJECTS, ["Content-Type: " + MEDIA, "Accept: " + MEDIA, "Content-Length: 1000"], b'{"objects":'))
        held.append(connection)
    began = time.monotonic()
    s = node.http("GET", "/health", auth=None, timeout=10).status
    check("300 slow connections: another is served at once", s == 200 and time.monotonic() - began < 3, f"{time.monotonic() - began:.1f} s")
    left = 0
    for connection in held:
        connection.settimeout(max(0.01, SLOW_S - (time.monotonic() - began)))
        try:
            while connection.recv(65536):
                pass
        except TimeoutError:
            left += 1
        except OSError:
            pass
        connection.close()
    check(f"slow connections are closed within {SLOW_S} s", left == 0, f"{left} of {len(held)} still open")


with Node() as node:
    node.token()
    if len(sys.argv) > 1:
        for name in sys.argv[1:]:
            globals()[name](node)
            print(f"  {well(node, name):.0f} MB")
    else:
        for group in (smuggling, lengths, odd, floods, slow):
            group(node)
            print(f"  {well(node, group.__name__):.0f} MB")
    check("no handler panicked", b"panicked" not in node.log_path.read_bytes())
check.finish()
