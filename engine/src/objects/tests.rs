//! Stores in memory: what each call gives, and which errors.

use std::ffi::{CStr, c_int, c_void};
use std::sync::Arc;

use object_store::path::Path;
use object_store::{GetOptions, ObjectStore, ObjectStoreExt, PutMode, UpdateVersion};

use crate::bindings::*;
use crate::catalog::text;
use crate::error::Result;
use crate::runtime::Engine;

use super::pace::Pace;
use super::{All, Objects, Upload, from_hexadecimal, versioned, without_queries};

fn engine() -> Arc<Engine> {
    Engine::open(1, 0, None, 0, None, None).unwrap()
}

fn open(
    engine: &Arc<Engine>,
    kind: &CStr,
    url: &CStr,
    given: &[(&CStr, &CStr)],
) -> Result<Arc<Objects>> {
    let options: Vec<weir_option> = given
        .iter()
        .map(|(key, value)| weir_option { key: key.as_ptr(), value: value.as_ptr() })
        .collect();
    let c = wr_objects_options {
        size: size_of::<wr_objects_options>(),
        type_: kind.as_ptr(),
        url: url.as_ptr(),
        options: options.as_ptr(),
        n_options: options.len(),
        ..Default::default()
    };
    Objects::open(engine, &c)
}

fn memory(engine: &Arc<Engine>) -> Arc<Objects> {
    open(engine, c"memory", c"memory://m/", &[]).unwrap()
}

unsafe extern "C" fn collect(sink: *mut c_void, object: *const wr_object) -> c_int {
    let keys = unsafe { &mut *sink.cast::<Vec<String>>() };
    keys.push(text(unsafe { (*object).key }).unwrap());
    (keys.len() == 3) as c_int
}

fn list(objects: &Objects, prefix: &str, recursive: bool, after: Option<&str>) -> Vec<String> {
    let mut keys: Vec<String> = vec![];
    let sink = (&raw mut keys).cast();
    objects.list(prefix, recursive, after.map(str::to_string), Some(collect), sink).unwrap();
    keys
}

fn failure<T>(result: Result<T>) -> String {
    match result {
        Ok(_) => "no error".into(),
        Err(error) => error.strip_backtrace(),
    }
}

#[test]
fn what_is_put_is_got_by_range() {
    let engine = engine();
    let objects = memory(&engine);
    objects.put("a/b", b"0123456789", PutMode::Overwrite).unwrap();
    let (bytes, meta) = objects.get("a/b", 3, 4, None).unwrap();
    assert_eq!((&bytes[..], meta.size), (&b"3456"[..], 10));
    assert_eq!(&objects.get("a/b", 8, 100, None).unwrap().0[..], b"89");
    assert!(objects.get("a/b", 10, 1, None).unwrap().0.is_empty());
    assert!(failure(objects.get("a/c", 0, 1, None)).contains("no such object: memory://m/a/c"));
    engine.close();
}

#[test]
fn two_stores_of_one_url_and_type_keep_the_same_objects_in_memory() {
    let engine = engine();
    let (first, second) = (memory(&engine), memory(&engine));
    assert_ne!(first.id, second.id);
    first.put("k", b"v", PutMode::Overwrite).unwrap();
    assert_eq!(&second.get("k", 0, 9, None).unwrap().0[..], b"v");
    let other = open(&engine, c"memory", c"memory://n/", &[]).unwrap();
    assert!(other.get("k", 0, 9, None).is_err());
    engine.close();
}

#[test]
fn a_put_may_ask_for_nothing_or_for_one_version() {
    let engine = engine();
    let objects = memory(&engine);
    let etag = objects.put("k", b"1", PutMode::Create).unwrap();
    assert!(failure(objects.put("k", b"2", PutMode::Create)).contains("is there already"));
    let version = |etag| PutMode::Update(UpdateVersion { e_tag: etag, version: None });
    objects.put("k", b"3", version(etag.clone())).unwrap();
    assert!(failure(objects.put("k", b"4", version(etag.clone()))).contains("was replaced"));
    assert!(failure(objects.get("k", 0, 1, etag)).contains("was replaced"));
    assert_eq!(&objects.get("k", 0, 9, None).unwrap().0[..], b"3");
    engine.close();
}

#[test]
fn a_listing_goes_on_where_it_was_left() {
    let engine = engine();
    let objects = memory(&engine);
    for key in ["a/1", "a/2", "a/b/3", "c", "d"] {
        objects.put(key, b"x", PutMode::Overwrite).unwrap();
    }
    assert_eq!(list(&objects, "", false, None), ["a/", "c", "d"]);
    assert_eq!(list(&objects, "", true, None), ["a/1", "a/2", "a/b/3"]);
    assert_eq!(list(&objects, "", true, Some("a/b/3")), ["c", "d"]);
    assert_eq!(list(&objects, "a/", false, None), ["a/1", "a/2", "a/b/"]);
    engine.close();
}

#[test]
fn an_upload_is_there_when_it_is_committed() {
    let engine = engine();
    let objects = memory(&engine);
    let piece = vec![7u8; 5 << 20];
    for (key, n_pieces) in [("small", 1), ("large", 9)] {
        let mut upload = Upload::new(&objects, key.into(), PutMode::Create).unwrap();
        (0..n_pieces).for_each(|_| upload.write(&piece).unwrap());
        assert!(objects.get(key, 0, 1, None).is_err());
        upload.commit().unwrap();
        let (_, meta) = objects.get(key, 0, 1, None).unwrap();
        assert_eq!(meta.size as usize, n_pieces * piece.len());
        let mut again = Upload::new(&objects, key.into(), PutMode::Create).unwrap();
        (0..n_pieces).for_each(|_| again.write(&piece).unwrap());
        assert!(failure(again.commit()).contains("is there already"));
    }
    let mut dropped = Upload::new(&objects, "dropped".into(), PutMode::Overwrite).unwrap();
    (0..9).for_each(|_| dropped.write(&piece).unwrap());
    drop(dropped);
    assert_eq!(list(&objects, "", true, None), ["large", "small"]);
    engine.close();
}

#[test]
fn a_copy_replaces_only_when_it_may() {
    let engine = engine();
    let objects = memory(&engine);
    objects.put("a", b"a", PutMode::Overwrite).unwrap();
    objects.put("b", b"b", PutMode::Overwrite).unwrap();
    assert!(failure(objects.copy("a", "b", false)).contains("memory://m/b is there already"));
    objects.copy("a", "b", true).unwrap();
    assert_eq!(&objects.get("b", 0, 9, None).unwrap().0[..], b"a");
    objects.delete(vec!["a".into(), "nothing".into()]).unwrap();
    assert_eq!(list(&objects, "", true, None), ["b"]);
    engine.close();
}

#[test]
fn a_plan_reads_the_version_that_it_was_made_for() {
    let engine = engine();
    let objects = memory(&engine);
    let etag = objects.put("k", b"old", PutMode::Overwrite).unwrap().unwrap();
    let path = versioned(&Path::from(format!("{}/k", objects.id)), &etag);
    let all = All { registry: engine.objects.clone(), tally: None };
    let read =
        || engine.handle.block_on(async { all.get_opts(&path, GetOptions::default()).await });
    assert_eq!(read().unwrap().meta.size, 3);
    assert_eq!(engine.objects.source(&path).unwrap().shown, "memory://m/k");
    objects.put("k", b"newer", PutMode::Overwrite).unwrap();
    let error = read().unwrap_err().to_string();
    assert!(error.contains("memory://m/k was replaced"), "{error}");
    drop(objects);
    let head = engine.handle.block_on(async { all.head(&path).await });
    assert!(head.unwrap_err().to_string().contains("was closed"));
    engine.close();
}

#[test]
fn options_are_known_or_refused_without_their_values() {
    let engine = engine();
    let s3 = |given: &[(&CStr, &CStr)]| failure(open(&engine, c"s3", c"s3://bucket/", given));
    let keys = [(c"aws_access_key_id", c"k"), (c"SECRET_ACCESS_KEY", c"canary"), (c"region", c"r")];
    assert_eq!(s3(&keys), "no error");
    let unknown = s3(&[(c"acces_key", c"canary")]);
    assert!(unknown.contains("acces_key") && unknown.contains("access_key_id"), "{unknown}");
    assert!(!unknown.contains("canary"), "{unknown}");
    assert!(s3(&[(c"region", c"a"), (c"aws_region", c"b")]).contains("given twice"));
    assert!(s3(&[(c"max_retries", c"many")]).contains("is a number, not \"many\""));
    assert!(s3(&[(c"retry_timeout", c"long")]).contains("is a time"));
    let ftp = failure(open(&engine, c"ftp", c"ftp://host/", &[]));
    assert!(ftp.contains("there are s3, azure, gcs, http and memory"), "{ftp}");
    engine.close();
}

#[test]
fn a_signed_url_says_nothing_of_the_secret() {
    let engine = engine();
    let keys = [(c"access_key_id", c"public"), (c"secret_access_key", c"canary")];
    let objects = open(&engine, c"s3", c"s3://bucket/", &keys).unwrap();
    let url = objects.presign("GET", "a b/c", 60).unwrap();
    assert!(url.contains("X-Amz-Signature=") && url.contains("public"), "{url}");
    assert!(!url.contains("canary"), "{url}");
    assert!(failure(objects.presign("GET", "k", 0)).contains("seconds are from 1"));
    assert!(failure(objects.presign("POST", "k", 9)).contains("GET or PUT"));
    assert!(failure(memory(&engine).presign("GET", "k", 9)).contains("signs nothing"));
    engine.close();
}

#[test]
fn fewer_requests_are_allowed_after_a_refusal_and_more_again() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let pace = Pace::new(8, 0, 0);
    pace.slow_down();
    pace.slow_down(); // in answer to a request from before
    assert_eq!(pace.allowed(), 4);
    let taken = runtime.block_on(async {
        let mut running = vec![];
        for _ in 0..4 {
            running.push(pace.turn(0).await);
        }
        let fifth = tokio::time::timeout(std::time::Duration::from_millis(20), pace.turn(0));
        let waited = fifth.await.is_err();
        running.pop();
        let _free = pace.turn(0).await;
        waited
    });
    assert!(taken);
    (0..100).for_each(|_| pace.speed_up());
    assert_eq!(pace.allowed(), 8);
}

#[test]
fn queries_of_urls_are_left_out_of_messages() {
    assert_eq!(without_queries("GET https://h/k?sig=secret&x=1 failed"), "GET https://h/k failed");
    assert_eq!(without_queries("(https://h/k?sig=secret) \"u?v\" end"), "(https://h/k) \"u\" end");
    assert_eq!(from_hexadecimal("2261"), Some(b"\"a".to_vec()));
    assert_eq!(from_hexadecimal("2x"), None);
}

#[test]
fn ten_thousand_parts_hold_more_than_any_store_takes() {
    let sizes: Vec<_> = (0..10_000).map(super::carrier::part_size).collect();
    assert!(sizes.iter().sum::<usize>() > 5 << 40);
    assert!(sizes.iter().all(|size| (5 << 20..=5 << 30).contains(size)));
    assert_eq!(sizes[..1000].iter().max(), Some(&(8 << 20)));
}
