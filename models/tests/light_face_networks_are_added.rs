//! Small face networks become part of a pack that is there, or the pack stays as it was.

#![allow(clippy::unwrap_used, reason = "a test fails by unwrapping")]

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use musetalk_core::ModelPack;
use musetalk_models::{Error, ErrorKind, FaceAdder};

struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name =
            format!("musetalk-add-face-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).ok();
    }
}

fn demo() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("demo/pack")
}

/// Both networks, where they lie beside the project; says so aloud where they do not.
fn networks() -> Option<[PathBuf; 2]> {
    let above = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    let folder = above.map(|folder| folder.join("shared/data/face")).find(|path| path.is_dir());
    if folder.is_none() {
        eprintln!("SKIPPED: shared/data/face does not lie beside the project");
    }
    folder.map(|folder| ["ultraface-rfb-320.onnx", "pfld-68.onnx"].map(|name| folder.join(name)))
}

fn refused(result: Result<PathBuf, Error>, kind: ErrorKind, words: &str) {
    let error = result.unwrap_err();
    assert!(error.kind() == kind && error.to_string().contains(words), "{:?}: {error}", error.kind());
}

#[test]
fn a_pack_with_face_networks_is_whole_and_the_one_it_came_from_untouched() {
    let Some([detector, landmarks]) = networks() else { return };
    let folder = Folder::new();
    let out = folder.0.join("faces.pack");
    let before = std::fs::read(demo().join("pack.json")).unwrap();
    let mut tried = false;
    let written = FaceAdder::new(demo(), &detector, &landmarks)
        .add(Some(&out), |staged| {
            tried = ModelPack::open(staged).unwrap().manifest().networks.contains_key("face_detector");
            Ok(())
        })
        .unwrap();
    assert!(tried && written == out);
    assert_eq!(std::fs::read(demo().join("pack.json")).unwrap(), before);
    let pack = ModelPack::open(&out).unwrap();
    pack.verify(|_, _| ControlFlow::Continue(())).unwrap();
    let manifest = pack.manifest();
    assert_eq!(manifest.networks["face_landmarks"].inputs[0].name, "input");
    assert_eq!(manifest.files["face_detector.onnx"].bytes, std::fs::metadata(&detector).unwrap().len());
    assert_eq!(manifest.weights.iter().filter(|weights| weights.network.starts_with("face_")).count(), 2);
    // The same person speaks with both packs.
    assert_eq!(pack.encoder_identity(), ModelPack::open(demo()).unwrap().encoder_identity());

    // Again, into the pack itself: one of each.
    FaceAdder::new(&out, &detector, &landmarks).add(None, |_| Ok(())).unwrap();
    let again = ModelPack::open(&out).unwrap();
    again.verify(|_, _| ControlFlow::Continue(())).unwrap();
    assert_eq!(again.manifest().weights.len(), manifest.weights.len());
    assert_eq!(std::fs::read_dir(&folder.0).unwrap().count(), 1);
}

#[test]
fn other_networks_and_damaged_files_are_refused_and_nothing_is_left() {
    let Some([detector, landmarks]) = networks() else { return };
    let folder = Folder::new();
    let out = folder.0.join("faces.pack");
    let add = |detector: &Path, landmarks: &Path| {
        FaceAdder::new(demo(), detector, landmarks).add(Some(&out), |_| Ok(()))
    };
    refused(add(&landmarks, &detector), ErrorKind::Incompatible, "this is not the light face detector");
    refused(
        add(&detector, &demo().join("encoder.onnx")),
        ErrorKind::Incompatible,
        "this is not the light landmark network",
    );
    let cut = folder.0.join("cut.onnx");
    std::fs::write(&cut, &std::fs::read(&landmarks).unwrap()[..100_000]).unwrap();
    refused(add(&detector, &cut), ErrorKind::Corrupt, "cut.onnx");
    std::fs::remove_file(&cut).unwrap();
    refused(add(&folder.0.join("none.onnx"), &landmarks), ErrorKind::NotFound, "none.onnx");
    let failing = FaceAdder::new(demo(), &detector, &landmarks)
        .add(Some(&out), |_| Err(Error::new(ErrorKind::Incompatible, "it computes nonsense")));
    refused(failing, ErrorKind::Incompatible, "nonsense");
    assert_eq!(std::fs::read_dir(&folder.0).unwrap().count(), 0);
}

#[test]
fn a_pack_with_networks_of_another_kind_keeps_them() {
    let Some([detector, landmarks]) = networks() else { return };
    let folder = Folder::new();
    // A tiny checkpoint with S3FD beside it.
    let checkpoint = folder.0.join("checkpoint");
    musetalk_models::tiny::write_checkpoint(&checkpoint, 1).unwrap();
    let s3fd = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/faces/s3fd/model.safetensors");
    std::fs::create_dir(checkpoint.join("s3fd")).unwrap();
    std::fs::copy(s3fd, checkpoint.join("s3fd/model.safetensors")).unwrap();
    let (pack, out) = (folder.0.join("s3fd.pack"), folder.0.join("light.pack"));
    let go_on = |_: musetalk_models::Progress<'_>| ControlFlow::Continue(());
    musetalk_models::PackBuilder::new(&checkpoint).build(&pack, go_on).unwrap();

    let adder = FaceAdder::new(&pack, &detector, &landmarks);
    let before = std::fs::read(pack.join("pack.json")).unwrap();
    let in_place = adder.add(None, |_| panic!("it is refused before it is tried out"));
    refused(in_place, ErrorKind::InvalidInput, "face_detector of another kind");
    assert_eq!(std::fs::read(pack.join("pack.json")).unwrap(), before);
    // Elsewhere nothing is lost; and what was added may be replaced.
    adder.add(Some(&out), |_| Ok(())).unwrap();
    FaceAdder::new(&out, &detector, &landmarks).add(None, |_| Ok(())).unwrap();
    let light = ModelPack::open(&out).unwrap();
    assert_eq!(light.manifest().networks["face_detector"].inputs[0].name, "input");
}
