//! Hostile checkpoints, each refused in words that name the file, the tensor where there is one, and the reason.
//! `tests/attacks/README.md` lists them.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;
#[path = "support/torch.rs"]
mod torch;

use std::path::Path;

use musetalk_models::{Error, ErrorKind};
use support::{Folder, build, tiny};
use torch::{
    Entry, Weight, entries, legacy_file, legacy_start, state_dict, weights, zip, zip_file, zip_of_pickle,
};

const UNET: &str = "unet/diffusion_pytorch_model.safetensors";
const HOSTILE: &str = "diffusion_pytorch_model.bin";

/// The error of a build whose UNet is a file of these bytes.
fn refusal(bytes: &[u8]) -> Error {
    let folder = Folder::new();
    let checkpoint = tiny(&folder);
    std::fs::remove_file(checkpoint.join(UNET)).unwrap();
    std::fs::write(checkpoint.join("unet").join(HOSTILE), bytes).unwrap();
    let error = build(&checkpoint, &folder.join("out.pack")).unwrap_err();
    println!("{:?}: {error}", error.kind());
    assert_eq!(folder.names(), ["checkpoint"], "nothing is left behind");
    error
}

#[track_caller]
fn refused(bytes: &[u8], kind: ErrorKind, words: &[&str]) {
    let error = refusal(bytes);
    assert_eq!(error.kind(), kind, "{error}");
    for word in words.iter().chain(&[HOSTILE]) {
        assert!(error.to_string().contains(word), "{word:?} is missing from: {error}");
    }
}

/// The weights of a sound UNet, with something done to `conv_in.weight`.
fn altered(alter: impl FnOnce(&mut Weight)) -> Vec<Weight> {
    let folder = Folder::new();
    let mut weights = weights(&tiny(&folder).join(UNET));
    alter(weights.iter_mut().find(|weight| weight.name == "conv_in.weight").unwrap());
    weights
}

/// The entries of a sound archive, with something done to them.
fn archive(alter: impl FnOnce(&mut Vec<Entry>)) -> Vec<u8> {
    let weights = altered(|_| {});
    let mut entries = entries(&state_dict(&weights, false), &weights);
    alter(&mut entries);
    zip(&entries)
}

#[test]
fn the_files_that_the_attacks_alter_are_sound() {
    for bytes in [zip_file(&altered(|_| {})), legacy_file(&altered(|_| {})), archive(|_| {})] {
        let folder = Folder::new();
        let checkpoint = tiny(&folder);
        std::fs::remove_file(checkpoint.join(UNET)).unwrap();
        std::fs::write(checkpoint.join("unet").join(HOSTILE), bytes).unwrap();
        build(&checkpoint, &folder.join("out.pack")).unwrap();
    }
}

#[test]
fn code_in_a_pickle() {
    let call = |opcodes: &[u8]| [b"\x80\x04".as_slice(), opcodes].concat();
    let cases: [(&[u8], &str); 22] = [
        (b"cos\nsystem\n(X\x02\0\0\0idtR.", "os.system"),
        (b"cposix\nsystem\n(X\x02\0\0\0idtR.", "posix.system"),
        (b"\x8c\x02os\x8c\x06system\x93\x8c\x02id\x85R.", "os.system"),
        (b"cbuiltins\neval\n(X\x01\0\0\x001tR.", "builtins.eval"),
        (b"c__builtin__\nset\n(]tR.", "__builtin__.set"),
        (b"cnumpy._core.multiarray\nscalar\n.", "numpy._core.multiarray.scalar"),
        (b"ctorch.storage\n_load_from_bytes\n.", "torch.storage._load_from_bytes"),
        (b"ctorch\nload\n.", "torch.load"),
        (b"ctorch._utils\n_rebuild_sparse_tensor\n.", "torch._utils._rebuild_sparse_tensor"),
        (b"ccollections\ndefaultdict\n.", "collections.defaultdict"),
        (b"(X\x02\0\0\0idios\nsystem\n.", "opcode INST"),
        (b"(ccollections\nOrderedDict\no.", "opcode OBJ"),
        (b"ccollections\nOrderedDict\n)\x81.", "opcode NEWOBJ"),
        (b"ccollections\nOrderedDict\n)}\x92.", "opcode NEWOBJ_EX"),
        (b"ccollections\nOrderedDict\n)R}X\x0c\0\0\0__setstate__Nsb.", "__setstate__"),
        (b"]}b.", "a state of its own"),
        (b"\x82\x01.", "opcode EXT1"),
        (b"\x83\x01\0.", "opcode EXT2"),
        (b"\x84\x01\0\0\0.", "opcode EXT4"),
        (b"P0\n.", "opcode PERSID"),
        (b"\x97.", "opcode NEXT_BUFFER"),
        (b"\xff.", "unknown opcode 0xff"),
    ];
    for (opcodes, word) in cases {
        refused(
            &zip_of_pickle(&call(opcodes)),
            ErrorKind::Unsupported,
            &[word, "nothing was executed", "at byte"],
        );
        let legacy = [legacy_start(), call(opcodes)].concat();
        refused(&legacy, ErrorKind::Unsupported, &[word, "nothing was executed", "at byte"]);
    }
}

#[test]
fn calls_of_what_may_be_called_with_what_it_does_not_take() {
    let cases: [&[u8]; 7] = [
        b"]]R.",
        b"ctorch._utils\n_rebuild_tensor_v2\n)R.",
        b"ctorch._utils\n_rebuild_tensor_v2\n(K\0K\0))tR.",
        b"ctorch\nFloatStorage\n)R.",
        b"ccollections\nOrderedDict\nK\x01\x85R.",
        b"K\x01Q.",
        b"(X\x06\0\0\0moduleNNNNtQ.",
    ];
    for opcodes in cases {
        refused(&zip_of_pickle(&[b"\x80\x02", opcodes].concat()), ErrorKind::Corrupt, &["pickle", "at byte"]);
    }
}

#[test]
fn pickles_that_are_malformed_or_too_large() {
    let repeated = |opcode: &[u8], times: usize| [&b"\x80\x02"[..], &opcode.repeat(times), b"."].concat();
    let cases: [(Vec<u8>, &str); 13] = [
        (repeated(b"(", 100_000), "nested more than"),
        (repeated(b"](", 100_000), "nested more than"),
        (repeated(b"N", 3_000_000), "more than 2097152 opcodes"),
        ([&b"\x80\x02N"[..], &b"2".repeat(3_000_000), b"."].concat(), "more than 2097152 opcodes"),
        (
            (0..3_000_000_u32)
                .flat_map(|n| {
                    if n == 0 { *b"\x80\x02N00" } else { [b'r', n as u8, (n >> 8) as u8, (n >> 16) as u8, 0] }
                })
                .collect(),
            "pickle",
        ),
        (b"\x80\x02X\xff\xff\xff\xff.".to_vec(), "longer than"),
        (b"\x80\x02\x8d\xff\xff\xff\xff\xff\xff\xff\xff.".to_vec(), "longer than"),
        (b"\x80\x02\x8a\xff.".to_vec(), "255 bytes"),
        (b"\x80\x02h\x07.".to_vec(), "number 7"),
        (b"\x80\x02t.".to_vec(), "mark"),
        (b"\x80\x02NN.".to_vec(), "more or less than one value"),
        (b"\x80\x02X\x01\0\0\0\xff.".to_vec(), "UTF-8"),
        (b"\x80\x02}K\x01".to_vec(), "ends in the middle"),
    ];
    for (pickle, word) in cases {
        refused(&zip_of_pickle(&pickle), ErrorKind::Corrupt, &[word]);
        if pickle.len() < 1000 {
            refused(&[legacy_start(), pickle].concat(), ErrorKind::Corrupt, &[]);
        }
    }
    // Twice as many values with every line: nothing here follows them, so nothing grows.
    let laughs = [&b"\x80\x02N"[..], &b"2\x86".repeat(10_000), b"."].concat();
    refused(&zip_of_pickle(&laughs), ErrorKind::Unsupported, &["no tensors"]);
    // A list that holds itself.
    refused(&zip_of_pickle(b"\x80\x02]q\0h\0a."), ErrorKind::Unsupported, &["no tensors"]);
    refused(&zip_of_pickle(b"\x80\x09N."), ErrorKind::Unsupported, &["protocol 9"]);
}

#[test]
fn tensors_that_do_not_lie_in_their_storage() {
    type Attack = (&'static str, fn(&mut Weight));
    let cases: [Attack; 9] = [
        ("larger than its storage", |w| w.shape = vec![8, 8, 3, 1 << 40]),
        ("larger than its storage", |w| w.shape = vec![i64::MAX, i64::MAX, 2, 2]),
        ("larger than its storage", |w| w.strides = vec![i64::MAX, 9, 3, 1]),
        ("larger than its storage", |w| w.strides = vec![72, 9, 3, 2]),
        ("larger than its storage", |w| w.offset = 1),
        ("larger than its storage", |w| w.offset = i64::MAX),
        ("_rebuild_tensor_v2 is called with something else than it takes (for", |w| {
            w.strides = vec![72, 9, 3, -1]
        }),
        ("_rebuild_tensor_v2 is called with something else than it takes (for", |w| {
            w.shape = vec![8, 8, 3, -3]
        }),
        ("_rebuild_tensor_v2 is called with something else than it takes (for", |w| w.offset = -1),
    ];
    for (word, alter) in cases {
        for bytes in [zip_file(&altered(alter)), legacy_file(&altered(alter))] {
            refused(&bytes, ErrorKind::Corrupt, &[word]);
        }
    }
    // One value shown as many.
    let repeated = altered(|w| {
        (w.shape, w.strides) = (vec![1 << 20, 1 << 20, 1, 1], vec![0, 0, 0, 0]);
    });
    refused(&zip_file(&repeated), ErrorKind::Corrupt, &["conv_in.weight", "larger than its storage"]);
}

#[test]
fn storages_that_are_not_what_is_said_of_them() {
    let shorter = altered(|w| w.raw.truncate(100));
    refused(&zip_file(&shorter), ErrorKind::Corrupt, &["conv_in.weight", "storage", "has 100 bytes"]);
    for count in [0, 1, 575, 577, 1 << 40, i64::MAX, -1] {
        let wrong = altered(|w| w.count = count);
        for bytes in [zip_file(&wrong), legacy_file(&wrong)] {
            let error = refusal(&bytes);
            assert_eq!(error.kind(), ErrorKind::Corrupt, "{count}: {error}");
        }
    }
    let complex = altered(|w| w.storage = "ComplexFloatStorage");
    refused(&zip_file(&complex), ErrorKind::Unsupported, &["torch.ComplexFloatStorage"]);
    let whole = altered(|w| (w.storage, w.raw) = ("LongStorage", w.raw.repeat(2)));
    refused(&zip_file(&whole), ErrorKind::Unsupported, &["conv_in.weight is I64"]);
    let missing = archive(|entries| entries.retain(|entry| entry.name != b"archive/data/3"));
    refused(&missing, ErrorKind::Corrupt, &["tensor", "storage 3", "not in the archive"]);
}

#[test]
fn tensors_of_a_wrong_shape_or_name() {
    let shape = altered(|w| (w.shape, w.strides) = (vec![8, 8, 9, 1], vec![72, 9, 1, 1]));
    refused(&zip_file(&shape), ErrorKind::Incompatible, &["conv_in.weight", "[8, 8, 3, 3]", "[8, 8, 9, 1]"]);
    let name = altered(|w| w.name = "conv_out.weight".into());
    refused(&zip_file(&name), ErrorKind::Corrupt, &["conv_out.weight", "twice"]);
    let name = altered(|w| w.name = "conv_in.weight\0".into());
    refused(&zip_file(&name), ErrorKind::Incompatible, &["conv_in.weight", "missing"]);
}

#[test]
fn values_that_are_not_finite() {
    for (value, word) in [(f32::NAN, "NaN"), (f32::INFINITY, "inf"), (f32::NEG_INFINITY, "-inf")] {
        let weights = altered(|w| w.raw[400..404].copy_from_slice(&value.to_le_bytes()));
        for bytes in [zip_file(&weights), legacy_file(&weights)] {
            refused(&bytes, ErrorKind::Corrupt, &["conv_in.weight", word, "value 100"]);
        }
    }
}

#[test]
fn entries_that_are_compressed_or_encrypted() {
    let bomb = archive(|entries| {
        let data = &mut entries[2];
        (data.method, data.size) = (8, Some(u32::MAX - 1));
    });
    refused(&bomb, ErrorKind::Unsupported, &["archive/data/0", "compressed"]);
    let encrypted = archive(|entries| entries[2].flags = 1);
    refused(&encrypted, ErrorKind::Unsupported, &["archive/data/0", "encrypted"]);
}

#[test]
fn entries_with_names_that_lead_elsewhere() {
    for name in [
        "../data.pkl",
        "/etc/passwd",
        "archive/../../x",
        "archive\\x",
        "C:/x",
        "archive//x",
        "archive/",
        "a\0b",
    ] {
        let bytes = archive(|entries| entries.push(Entry::new(name, b"x")));
        refused(&bytes, ErrorKind::Corrupt, &["entry named"]);
    }
    let unreadable = archive(|entries| entries.push(Entry { name: vec![0xff; 4], ..Entry::new("x", b"x") }));
    refused(&unreadable, ErrorKind::Corrupt, &["entry named"]);
}

#[test]
fn entries_that_overlap_or_lie_outside() {
    let same = archive(|entries| entries[3].offset = Some(0));
    refused(&same, ErrorKind::Corrupt, &["overlap"]);
    let longer = archive(|entries| entries[2].size = Some(1 << 30));
    refused(&longer, ErrorKind::Corrupt, &["overlap"]);
    let outside = archive(|entries| entries[2].offset = Some(u32::MAX - 1));
    refused(&outside, ErrorKind::Corrupt, &[]);
    let twice = archive(|entries| entries.push(entries[2].clone()));
    refused(&twice, ErrorKind::Corrupt, &["one name"]);
    let two = archive(|entries| entries.push(Entry::new("other/data.pkl", b"N.")));
    refused(&two, ErrorKind::Corrupt, &["2 data.pkl"]);
    let none = archive(|entries| drop(entries.remove(0)));
    refused(&none, ErrorKind::Corrupt, &["0 data.pkl"]);
    let before = [&b"#!/bin/sh\n"[..], &archive(|_| {})].concat();
    refused(&before, ErrorKind::Corrupt, &["neither a safetensors file"]);
}

#[test]
fn tables_of_entries_that_are_not_what_they_seem() {
    let sound = archive(|_| {});
    let end = sound.len() - 22;
    let edit = |at: usize, bytes: &[u8]| {
        let mut altered = sound.clone();
        altered[end + at..end + at + bytes.len()].copy_from_slice(bytes);
        altered
    };
    refused(&edit(8, &[0xff; 4]), ErrorKind::Corrupt, &["zip archive"]);
    refused(&edit(12, &[0xff; 4]), ErrorKind::Corrupt, &["not at its end"]);
    refused(&edit(16, &[0; 4]), ErrorKind::Corrupt, &["not at its end"]);
    refused(&edit(20, &[1, 0]), ErrorKind::Corrupt, &["cut short"]);
    refused(&[&sound[..], b"more"].concat(), ErrorKind::Corrupt, &["cut short"]);
    // More entries than there are bytes for.
    let many = zip(&vec![Entry::new("a", b""); 3]);
    let mut many = many[..many.len() - 22].to_vec();
    many.extend(b"PK\x05\x06\0\0\0\0\xff\xff\xff\xff");
    let start = sound.len() as u32;
    many.extend([0x7fff_ffff_u32, start].map(u32::to_le_bytes).concat());
    many.extend([0, 0]);
    refused(&many, ErrorKind::Corrupt, &["zip archive"]);
}

#[test]
fn checksums_that_differ() {
    for entry in [0, 2] {
        let bytes = archive(|entries| entries[entry].checksum = Some(1));
        refused(&bytes, ErrorKind::Corrupt, &["checksum", "altered"]);
    }
}

#[test]
fn archives_that_hold_code() {
    let script = archive(|entries| entries.push(Entry::new("archive/constants.pkl", b"N.")));
    refused(&script, ErrorKind::Unsupported, &["TorchScript"]);
}

#[test]
fn big_endian_files() {
    let bytes = archive(|entries| entries[1].raw = b"big".to_vec());
    refused(&bytes, ErrorKind::Unsupported, &["big-endian"]);
    let legacy = legacy_file(&altered(|_| {}));
    let at = legacy.windows(13).position(|window| window == b"little_endian").unwrap() + 13;
    let mut legacy = legacy;
    legacy[at] = 0x89;
    refused(&legacy, ErrorKind::Unsupported, &["big-endian"]);
}

#[test]
fn legacy_files_with_absurd_storages() {
    let legacy = legacy_file(&altered(|_| {}));
    refused(&[&legacy[..], b"more"].concat(), ErrorKind::Corrupt, &["4 bytes follow"]);
    for keep in [legacy.len() - 1, legacy.len() - 4000, legacy.len() / 2, legacy_start().len() + 10, 20, 1] {
        assert_eq!(refusal(&legacy[..keep]).kind(), ErrorKind::Corrupt, "{keep}");
    }
    let mut weights = altered(|_| {});
    weights.truncate(1);
    let sound = legacy_file(&weights);
    let keys = sound.windows(4).rposition(|window| window == b"\x80\x02](").unwrap();
    for keys_and_rest in
        [&b"\x80\x02]."[..], b"\x80\x02N.", b"\x80\x02](X\x01\0\0\x007e.", b"\x80\x02](K\0e."]
    {
        let bytes = [&sound[..keys], keys_and_rest].concat();
        assert_eq!(refusal(&bytes).kind(), ErrorKind::Corrupt);
    }
}

#[test]
fn files_that_are_something_else() {
    let cases: [(&[u8], &str); 5] = [
        (b"", "empty"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n", "git-lfs pointer"),
        (b"<!DOCTYPE html><html>", "web page"),
        (b"\x7fELF\x02\x01\x01\0\0\0\0\0", "neither"),
        (b"\x80\x02]q\0.", "not that of torch.save"),
    ];
    for (bytes, word) in cases {
        refused(bytes, ErrorKind::Corrupt, &[word]);
    }
}

#[test]
fn an_index_whose_shards_lie_outside() {
    let folder = Folder::new();
    let checkpoint = tiny(&folder);
    std::fs::remove_file(checkpoint.join(UNET)).unwrap();
    let index = checkpoint.join(format!("{UNET}.index.json"));
    for shard in ["../vae/diffusion_pytorch_model.safetensors", "/etc/passwd", "C:\\x"] {
        std::fs::write(&index, serde_json::json!({ "weight_map": { "a": shard } }).to_string()).unwrap();
        let error = build(&checkpoint, &folder.join("out.pack")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
        assert!(error.to_string().contains("outside"), "{error}");
    }
    assert!(Path::new(&index).exists());
}
