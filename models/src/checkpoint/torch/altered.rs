//! Files that were cut short or altered anywhere are refused, or give what they gave before; none of them panics.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use musetalk_core::{ErrorKind, Result};
use proptest::prelude::*;

use super::pickle;
use crate::checkpoint::file::TensorFile;

/// A file that goes away.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        Self(std::env::temp_dir().join(format!("musetalk-altered-{}-{name}", std::process::id())))
    }

    /// Every tensor of a file with these bytes.
    fn read(&self, bytes: &[u8]) -> Result<BTreeMap<String, Vec<f32>>> {
        std::fs::write(&self.0, bytes).unwrap();
        let mut file = TensorFile::open(&self.0)?;
        let names: Vec<String> = file.names().map(str::to_owned).collect();
        names.into_iter().map(|name| Ok((name.clone(), file.values(&name)?))).collect()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        std::fs::remove_file(&self.0).ok();
    }
}

fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(name)).unwrap()
}

/// Each byte in turn, in three ways.
fn alterations(bytes: &[u8]) -> impl Iterator<Item = (usize, Vec<u8>)> {
    (0..bytes.len()).flat_map(move |at| {
        [0x01, 0x80, 0xff].map(|mask| {
            let mut altered = bytes.to_vec();
            altered[at] ^= mask;
            (at, altered)
        })
    })
}

fn refused_kind(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::Corrupt | ErrorKind::Unsupported)
}

#[test]
fn a_zip_file_with_any_byte_altered_is_refused_or_unchanged() {
    let (scratch, bytes) = (Scratch::new("zip"), fixture("torch/few.bin"));
    let original = scratch.read(&bytes).unwrap();
    let mut refused = 0;
    for (at, altered) in alterations(&bytes) {
        match scratch.read(&altered) {
            Ok(tensors) => assert_eq!(tensors, original, "byte {at} changes values unseen"),
            Err(error) => {
                assert!(refused_kind(error.kind()), "byte {at}: {:?} {error}", error.kind());
                refused += 1;
            }
        }
    }
    println!("{refused} of {} alterations refused", 3 * bytes.len());
    assert!(refused > bytes.len());
}

#[test]
fn a_legacy_file_with_any_byte_altered_is_refused_or_read() {
    let (scratch, bytes) = (Scratch::new("legacy"), fixture("torch/few_legacy.bin"));
    scratch.read(&bytes).unwrap();
    let mut refused = 0;
    for (at, altered) in alterations(&bytes) {
        if let Err(error) = scratch.read(&altered) {
            assert!(refused_kind(error.kind()), "byte {at}: {:?} {error}", error.kind());
            refused += 1;
        }
    }
    println!("{refused} of {} alterations refused", 3 * bytes.len());
    assert!(refused > bytes.len());
}

#[test]
fn a_file_cut_anywhere_is_refused() {
    let scratch = Scratch::new("cut");
    for name in ["torch/few.bin", "torch/few_legacy.bin"] {
        let bytes = fixture(name);
        for keep in 0..bytes.len() {
            let error = scratch.read(&bytes[..keep]).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Corrupt, "{name} cut at {keep}: {error}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn any_opcodes_in_any_order_are_read_or_refused(
        opcodes in prop::collection::vec(
            prop_oneof![
                prop::sample::select(&b"(0123456789)]}N.Qabcehijlqrstu\x80\x81\x85\x86\x87\x88\x89\x8a\x8c\x8d\x93\x94\x95"[..])
                    .prop_map(|opcode| vec![opcode]),
                Just(b"ccollections\nOrderedDict\n".to_vec()),
                Just(b"ctorch._utils\n_rebuild_tensor_v2\n".to_vec()),
                Just(b"ctorch\nFloatStorage\n".to_vec()),
                Just(b"X\x07\0\0\0storage".to_vec()),
                any::<u8>().prop_map(|value| vec![b'K', value]),
                any::<[u8; 4]>().prop_map(|value| [&b"J"[..], &value].concat()),
                any::<u8>().prop_map(|value| vec![value]),
            ],
            0..200,
        ),
    ) {
        let bytes = opcodes.concat();
        if let Err(error) = pickle::read(&mut &bytes[..], Path::new("any"), "", 0) {
            prop_assert!(refused_kind(error.kind()), "{error}");
        }
    }
}
