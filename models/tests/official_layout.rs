//! MuseTalk's own layout becomes the pack that the same weights become in Hugging Face's: every graph, byte for byte.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;
#[path = "support/torch.rs"]
mod torch;

use std::fs;
use std::path::Path;

use musetalk_models::{BuiltPack, Error, ErrorKind, ModelVersion, PackBuilder};
use serde_json::{Value, json};
use support::{Folder, build, fixture, go_on, tiny};
use torch::{legacy_file, weights, zip_file};

const UNET: &str = "unet/diffusion_pytorch_model.safetensors";
const VAE: &str = "vae/diffusion_pytorch_model.safetensors";
const WHISPER: &str = "whisper/model.safetensors";

fn write(file: &Path, bytes: impl AsRef<[u8]>) {
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(file, bytes).unwrap();
}

/// The tiny checkpoint in `from`, as MuseTalk publishes its own in `to`.
fn publish(from: &Path, to: &Path) {
    write(&to.join("musetalkV15/unet.pth"), zip_file(&weights(&from.join(UNET))));
    write(&to.join("musetalkV15/musetalk.json"), fs::read(from.join("unet/config.json")).unwrap());
    write(&to.join("sd-vae/diffusion_pytorch_model.bin"), legacy_file(&weights(&from.join(VAE))));
    write(&to.join("sd-vae/config.json"), fs::read(from.join("vae/config.json")).unwrap());
    write(&to.join("whisper/pytorch_model.bin"), zip_file(&weights(&from.join(WHISPER))));
    write(&to.join("whisper/config.json"), fs::read(from.join("whisper/config.json")).unwrap());
}

fn edit(file: &Path, edit: impl FnOnce(&mut Value)) {
    let mut config: Value = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
    edit(&mut config);
    fs::write(file, config.to_string()).unwrap();
}

fn built(from: &Path, out: &Path) -> BuiltPack {
    build(from, out).unwrap()
}

#[track_caller]
fn same_graphs(a: &Path, b: &Path) {
    for network in ["audio_encoder", "generator", "decoder", "encoder"] {
        let read = |pack: &Path| fs::read(pack.join(format!("{network}.onnx"))).unwrap();
        assert!(read(a) == read(b), "{network} differs");
    }
}

#[test]
fn the_published_layout_gives_the_same_graphs() {
    let folder = Folder::new();
    let hugging_face = tiny(&folder);
    let official = folder.join("official");
    publish(&hugging_face, &official.join("models"));
    built(&hugging_face, &folder.join("a.pack"));
    let pack = built(&official, &folder.join("b.pack"));
    same_graphs(&folder.join("a.pack"), &pack.folder);
    assert_eq!(pack.notes, [""; 0]);
    let absent = pack.absent.join("\n");
    for word in ["79999_iter.pth", "s3fd", "dw-ll_ucoco_384.onnx", "53 MB", "Apache-2.0"] {
        assert!(absent.contains(word), "{word}: {absent}");
    }
    assert_eq!(pack.version, Some(ModelVersion::V15));
    let told = |publisher: &str| format!("{publisher} on Hugging Face, by the file's place");
    let expected = [
        told("openai/whisper-tiny"),
        told("MuseTalk 1.5, TMElyralab/MuseTalk"),
        told("stabilityai/sd-vae-ft-mse"),
    ];
    assert_eq!(origins(&pack), expected);
}

/// Where the pack says that its weights come from: ears, generator, autoencoder.
fn origins(pack: &BuiltPack) -> Vec<String> {
    let manifest: Value = serde_json::from_slice(&fs::read(pack.folder.join("pack.json")).unwrap()).unwrap();
    let weights = manifest["weights"].as_array().unwrap();
    weights.iter().map(|entry| entry["origin"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn what_was_asked_for_is_not_taken_for_knowledge() {
    let folder = Folder::new();
    let unknown = tiny(&folder);
    fs::remove_file(unknown.join("origin.json")).unwrap();
    let builder = PackBuilder::new(&unknown).version(ModelVersion::V15);
    let pack = builder.build(folder.join("a.pack"), go_on).unwrap();
    assert_eq!(pack.version, None);
    assert_eq!(origins(&pack), ["unknown"; 3]);
    let note = "nothing but the request says that the generator is of MuseTalk 1.5";
    assert!(pack.notes.iter().any(|told| told.contains(note)), "{:?}", pack.notes);
}

#[test]
fn the_place_of_each_file_tells_its_own_origin_and_no_folder_above_does() {
    let folder = Folder::new();
    let mixed = folder.join("musetalkV15/MuseTalk-1.5");
    publish(&tiny(&folder), &mixed);
    let moved = |from: &str, to: &str| {
        fs::create_dir_all(mixed.join(to).parent().unwrap()).unwrap();
        fs::rename(mixed.join(from), mixed.join(to)).unwrap();
    };
    moved("sd-vae", "vae");
    let pack = built(&mixed, &folder.join("a.pack"));
    assert!(origins(&pack)[1].starts_with("MuseTalk 1.5, TMElyralab"), "{:?}", origins(&pack));
    assert_eq!(origins(&pack)[2], "unknown");
    // At no usual place: the folder's own name tells the release and not the publisher.
    moved("musetalkV15", "mine-v1.5");
    let pack = built(&mixed, &folder.join("b.pack"));
    assert_eq!(pack.version, Some(ModelVersion::V15));
    assert_eq!(origins(&pack)[1], "MuseTalk 1.5, by the file's place");
    moved("mine-v1.5", "mine");
    let pack = built(&mixed, &folder.join("c.pack"));
    assert_eq!(pack.version, None);
    assert_eq!(origins(&pack)[1], "unknown");
    // 1.0 has a place, too.
    moved("mine/unet.pth", "musetalk/pytorch_model.bin");
    moved("mine/musetalk.json", "musetalk/musetalk.json");
    let pack = built(&mixed, &folder.join("d.pack"));
    assert_eq!(pack.version, Some(ModelVersion::V1));
    assert!(origins(&pack)[1].starts_with("MuseTalk 1.0, TMElyralab"), "{:?}", origins(&pack));
}

#[test]
fn the_first_configuration_of_15_was_wrong_and_the_tensors_are_believed() {
    let folder = Folder::new();
    let hugging_face = tiny(&folder);
    let official = folder.join("official");
    publish(&hugging_face, &official);
    edit(&official.join("musetalkV15/musetalk.json"), |config| {
        config["in_channels"] = json!(32);
        config["out_channels"] = json!(16);
        config["down_block_types"] =
            json!(["DownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D", "DownBlock2D"]);
        config["cross_attention_dim"] = json!(768);
    });
    built(&hugging_face, &folder.join("a.pack"));
    let pack = built(&official, &folder.join("b.pack"));
    same_graphs(&folder.join("a.pack"), &pack.folder);
    let notes = pack.notes.join("\n");
    for words in [
        "in_channels is 32",
        "8 in the tensors",
        "out_channels is 16",
        "cross_attention_dim",
        "musetalk.json",
    ] {
        assert!(notes.contains(words), "{words}: {notes}");
    }
}

#[test]
fn files_are_found_by_what_they_hold() {
    let folder = Folder::new();
    let hugging_face = tiny(&folder);
    let strange = folder.join("strange");
    let wrap = |file: &str, prefix: &str| {
        let mut weights = weights(&hugging_face.join(file));
        weights.iter_mut().for_each(|weight| weight.name = format!("{prefix}{}", weight.name));
        weights
    };
    write(&strange.join("x/one.ckpt"), legacy_file(&wrap(UNET, "module.unet.")));
    write(&strange.join("x/config.json"), fs::read(hugging_face.join("unet/config.json")).unwrap());
    write(&strange.join("y/z/two.pt"), zip_file(&wrap(VAE, "vae.")));
    write(&strange.join("y/z/config.json"), fs::read(hugging_face.join("vae/config.json")).unwrap());
    write(&strange.join("three.bin"), zip_file(&wrap(WHISPER, "")));
    write(&strange.join("config.json"), fs::read(hugging_face.join("whisper/config.json")).unwrap());
    write(&strange.join("readme.bin"), "no checkpoint");
    built(&hugging_face, &folder.join("a.pack"));
    let pack = built(&strange, &folder.join("b.pack"));
    same_graphs(&folder.join("a.pack"), &pack.folder);
}

#[test]
fn openais_whisper_needs_no_configuration() {
    let folder = Folder::new();
    let openai = folder.join("openai");
    for file in ["unet/config.json", UNET, "vae/config.json", VAE] {
        write(&openai.join(file), fs::read(fixture("small").join(file)).unwrap());
    }
    write(&openai.join("whisper/tiny.pt"), fs::read(fixture("torch/tiny.pt")).unwrap());
    built(&fixture("small"), &folder.join("a.pack"));
    let pack = built(&openai, &folder.join("b.pack"));
    same_graphs(&folder.join("a.pack"), &pack.folder);
    assert!(pack.notes.iter().any(|note| note.contains("no configuration") && note.contains("tiny.pt")));
}

#[test]
fn the_version_can_be_chosen() {
    let folder = Folder::new();
    let newer = tiny(&folder);
    let older = folder.join("older");
    musetalk_models::tiny::write_checkpoint(&older, 2).unwrap();
    let official = folder.join("official");
    publish(&newer, &official);
    write(&official.join("musetalk/pytorch_model.bin"), zip_file(&weights(&older.join(UNET))));
    write(&official.join("musetalk/musetalk.json"), fs::read(older.join("unet/config.json")).unwrap());
    built(&newer, &folder.join("newer.pack"));
    built(&older, &folder.join("older.pack"));
    let generator = |pack: &str| fs::read(folder.join(pack).join("generator.onnx")).unwrap();

    let pack = built(&official, &folder.join("default.pack"));
    assert!(generator("default.pack") == generator("newer.pack"));
    assert!(pack.notes[0].contains("several generators"), "{:?}", pack.notes);
    PackBuilder::new(&official).version(ModelVersion::V1).build(folder.join("one.pack"), go_on).unwrap();
    assert!(generator("one.pack") == generator("older.pack"));

    fs::remove_dir_all(official.join("musetalk")).unwrap();
    let error = PackBuilder::new(&official)
        .version(ModelVersion::V1)
        .build(folder.join("no.pack"), go_on)
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.to_string().contains("musetalk/pytorch_model.bin"), "{error}");
}

#[test]
fn everything_that_is_missing_is_listed_at_once() {
    let folder = Folder::new();
    let empty = folder.join("empty");
    write(&empty.join("broken.pth"), b"version https://git-lfs.github.com/spec/v1\n");
    let error: Error = build(&empty, &folder.join("no.pack")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    for words in [
        "musetalkV15/unet.pth",
        "3.40 GB",
        "TMElyralab/MuseTalk",
        "stabilityai/sd-vae-ft-mse",
        "MIT",
        "openai/whisper-tiny",
        "git-lfs pointer",
    ] {
        assert!(error.to_string().contains(words), "{words}: {error}");
    }
    assert!(!error.to_string().contains("the first 64"), "{error}");
    for n in 0..70 {
        write(&empty.join(format!("{n}.bin")), "no checkpoint");
    }
    let error = build(&empty, &folder.join("no.pack")).unwrap_err();
    assert!(error.to_string().contains("the first 64 of 71 files"), "{error}");
    let error = build(&folder.join("nowhere"), &folder.join("no.pack")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
}

#[test]
fn a_training_checkpoint_of_the_landmarks_is_explained() {
    let folder = Folder::new();
    let official = tiny(&folder);
    write(&official.join("dwpose/dw-ll_ucoco_384.pth"), b"");
    let pack = built(&official, &folder.join("a.pack"));
    assert!(pack.notes.iter().any(|note| note.contains("dw-ll_ucoco_384.onnx")), "{:?}", pack.notes);
    assert!(pack.absent.iter().any(|absent| absent.contains("dwpose")));
}

#[test]
fn the_networks_of_the_face_are_found_wherever_they_lie() {
    let folder = Folder::new();
    let official = tiny(&folder);
    let face = |name: &str| weights(&fixture("faces").join(name).join("model.safetensors"));
    write(&official.join("somewhere/iter.pth"), legacy_file(&face("face-parse-bisent")));
    write(&official.join(".cache/checkpoints/s3fd-619a316812.pth"), zip_file(&face("s3fd")));
    // What the parser was trained from lies in its folder, and is another network.
    let start = torch::Weight::new("conv1.weight", &[2, 2], &[0; 16]);
    write(&official.join("face-parse-bisent/resnet18-5c106cde.pth"), legacy_file(&[start]));
    let out = folder.join("a.pack");
    let pack = built(&official, &out);
    assert!(pack.absent.len() == 1 && pack.absent[0].contains("DWPose"), "{:?}", pack.absent);
    let manifest: Value = serde_json::from_slice(&fs::read(out.join("pack.json")).unwrap()).unwrap();
    for role in ["face_parser", "face_detector"] {
        assert!(manifest["networks"][role].is_object(), "{role}");
    }
}

#[test]
fn a_file_that_only_has_the_name_of_the_landmarks_is_refused() {
    let folder = Folder::new();
    let official = tiny(&folder);
    write(&official.join("dw-ll_ucoco_384.onnx"), b"onnx");
    let error = build(&official, &folder.join("a.pack")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    assert!(error.to_string().contains("dw-ll_ucoco_384.onnx"), "{error}");
    assert!(!folder.join("a.pack").exists());
}

#[test]
fn empty_files_that_a_pack_can_do_without_are_passed_over() {
    let folder = Folder::new();
    let official = tiny(&folder);
    let empty = ["face-parse-bisent/79999_iter.pth", "s3fd-619a316812.pth", "dwpose/dw-ll_ucoco_384.onnx"];
    empty.iter().for_each(|file| write(&official.join(file), b""));
    let pack = built(&official, &folder.join("a.pack"));
    assert_eq!(pack.absent.len(), 3);
    for file in empty {
        let told = pack.notes.iter().any(|note| note.contains("empty file") && note.contains(file));
        assert!(told, "{file}: {:?}", pack.notes);
    }
}
