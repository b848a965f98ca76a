# SPDX-License-Identifier: Apache-2.0
"""The servers that the tests of object stores stand on do what those tests expect of them."""

import pathlib
import urllib.request

import pytest
import signed
from plain_http import PlainHttp
from stores import Azurite, Gcs, MinIO, VersityGW, texts

STORES = [VersityGW, MinIO, Azurite, Gcs]


@pytest.fixture(scope="module", params=STORES, ids=lambda kind: kind.name)
def store(request, tmp_path_factory):
    store = request.param(tmp_path_factory.mktemp(request.param.name))
    yield store
    store.close()
    assert store.process.process.poll() is not None


def test_objects_are_written_read_listed_and_deleted(store):
    bucket = store.make("first")
    store.put(bucket, "a/one", b"1" * 1000)
    store.put(bucket, "a/two words", b"2")
    store.put(bucket, "b", b"")
    assert store.list(bucket) == ["a/one", "a/two words", "b"]
    assert store.list(bucket, "a/") == ["a/one", "a/two words"]
    assert store.get(bucket, "a/one") == b"1" * 1000 and store.get(bucket, "b") == b""
    store.delete(bucket, "a/one")
    assert store.list(bucket) == ["a/two words", "b"]
    with pytest.raises(signed.Refused) as refused:
        store.get(bucket, "a/one")
    assert refused.value.status == 404


def test_a_bucket_that_is_there_may_be_made_again(store):
    store.make("again")
    store.put("again", "kept", b"x")
    store.make("again")
    assert store.list("again") == ["kept"]


def prefix(store):
    return f"/{store.make('details')}"


def put(store, path, data, **headers):
    more = {"x-ms-blob-type": "BlockBlob"} if store.scheme == "az" else {}
    return store.request("PUT", path, body=data, headers=more | headers)


def test_ranges_and_conditions_on_reads(store):
    path = f"{prefix(store)}/ranges"
    etag = put(store, path, b"0123456789").headers["etag"]
    assert store.request("GET", path, headers={"range": "bytes=2-4"}).body == b"234"
    assert store.request("GET", path, headers={"range": "bytes=7-"}).body == b"789"
    if store.scheme != "az":  # it has no suffixes
        assert store.request("GET", path, headers={"range": "bytes=-3"}).body == b"789"
    assert store.request("GET", path, headers={"if-match": etag}).status == 200
    assert store.request("GET", path, headers={"if-match": '"other"'}).status == 412
    assert store.request("GET", path, headers={"if-none-match": etag}).status == 304
    assert put(store, path, b"others").headers["etag"] != etag
    assert store.request("GET", path, headers={"if-match": etag}).status == 412


def test_an_object_is_made_only_where_there_is_none(store):
    path = f"{prefix(store)}/create-only"
    condition = {"x-goog-if-generation-match": "0"} if store.scheme == "gs" else {"if-none-match": "*"}
    assert put(store, path, b"first", **condition).status in (200, 201)
    assert put(store, path, b"second", **condition).status in (409, 412)
    assert store.get("details", "create-only") == b"first"


@pytest.mark.parametrize("kind", [VersityGW, MinIO], ids=lambda kind: kind.name)
def test_a_wrong_signature_is_refused(kind, tmp_path):
    store = kind(tmp_path)
    try:
        store.make("closed")
        assert signed.s3(store.address(), "weirtest", "wrong", "GET", "/closed").status == 403
        assert signed.send(store.address(), "GET", "/closed").status == 403
    finally:
        store.close()


def test_s3_uploads_in_parts_are_listed_until_they_end(store):
    if store.scheme != "s3":
        pytest.skip("for S3")
    path = f"{prefix(store)}/parts"

    def begin():
        (number,) = texts(store.request("POST", path, [("uploads", "")]).body, "UploadId")
        return number

    number = begin()
    etags = [store.request("PUT", path, [("partNumber", str(n)), ("uploadId", number)], body=data).headers["etag"] for n, data in ((1, b"a" * (5 << 20)), (2, b"b"))]
    assert len(store.open_uploads("details")) == 1
    parts = "".join(f"<Part><PartNumber>{n}</PartNumber><ETag>{etag}</ETag></Part>" for n, etag in enumerate(etags, 1))
    body = f"<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>".encode()
    assert store.request("POST", path, [("uploadId", number)], body=body).status == 200
    assert store.get("details", "parts") == b"a" * (5 << 20) + b"b"
    assert store.open_uploads("details") == []
    number = begin()
    store.request("PUT", path, [("partNumber", "1"), ("uploadId", number)], body=b"x")
    assert len(store.open_uploads("details")) == 1
    assert store.request("DELETE", path, [("uploadId", number)]).status == 204
    assert store.open_uploads("details") == []


def test_the_gcs_shim_assembles_parts_and_copies(store):
    if store.scheme != "gs":
        pytest.skip("for Google")
    bucket = store.make("shim")
    (number,) = texts(store.request("POST", "/shim/parts", [("uploads", "")]).body, "UploadId")
    for n, data in ((2, b"tail"), (1, b"a" * (5 << 20))):
        assert store.request("PUT", "/shim/parts", [("partNumber", str(n)), ("uploadId", number)], body=data).status == 200
    assert store.list(bucket) == [] and store.open_uploads(bucket) == ["parts"]
    parts = "".join(f"<Part><PartNumber>{n}</PartNumber><ETag>e</ETag></Part>" for n in (1, 2))
    done = store.request("POST", "/shim/parts", [("uploadId", number)], body=f"<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>".encode())
    assert done.status == 200 and texts(done.body, "ETag") == [store.request("HEAD", "/shim/parts").headers["etag"]]
    assert store.get(bucket, "parts") == b"a" * (5 << 20) + b"tail" and store.open_uploads(bucket) == []
    copied = {"x-goog-copy-source": "shim/parts"}
    assert store.request("PUT", "/shim/copy", headers=copied).status == 200
    assert store.request("PUT", "/shim/copy", headers={**copied, "x-goog-if-generation-match": "0"}).status == 412
    assert store.get(bucket, "copy") == store.get(bucket, "parts")


def test_azure_blocks_that_are_not_committed_are_seen_as_open(store):
    if store.scheme != "az":
        pytest.skip("for Azure")
    bucket = store.make("blocks")
    assert store.request("PUT", "/blocks/half", [("comp", "block"), ("blockid", "AAAA")], body=b"x").status == 201
    assert store.list(bucket) == [] and store.open_uploads(bucket) == ["half"]
    body = b'<?xml version="1.0" encoding="utf-8"?><BlockList><Latest>AAAA</Latest></BlockList>'
    assert store.request("PUT", "/blocks/half", [("comp", "blocklist")], body=body).status == 201
    assert store.list(bucket) == ["half"] and store.open_uploads(bucket) == []


@pytest.mark.parametrize("has_ranges", [True, False], ids=["ranges", "no ranges"])
def test_plain_http_gives_files(tmp_path, has_ranges):
    server = PlainHttp(tmp_path / "root", has_ranges)
    try:
        server.put(server.make("b"), "x y", b"0123456789")
        (pathlib.Path(tmp_path) / "outside").write_bytes(b"no")
        path = "/b/x y"
        whole = signed.send(server.address(), "GET", path)
        assert (whole.status, whole.body) == (200, b"0123456789")
        part = signed.send(server.address(), "GET", path, headers={"range": "bytes=3-5"})
        assert (part.status, part.body) == ((206, b"345") if has_ranges else (200, b"0123456789"))
        assert signed.send(server.address(), "GET", path, headers={"range": "bytes=20-30"}).status == (416 if has_ranges else 200)
        assert signed.send(server.address(), "GET", path, headers={"if-match": '"x"'}).status == 412
        assert signed.send(server.address(), "HEAD", path).headers["content-length"] == "10"
        assert signed.send(server.address(), "GET", "/../outside").status == 404
        with urllib.request.urlopen(server.url("b", "x%20y")) as answer:
            assert answer.read() == b"0123456789"
    finally:
        server.close()
