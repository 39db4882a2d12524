//! What the engine's tools read: the descriptor, the order of includes, and numbers that Blueprint shows.

use std::collections::BTreeSet;
use std::fs;

use musetalk_unreal::{files, here, module};

/// The numbers of `PREFIX_NAME = n` in the C header.
fn of_header(header: &str, prefix: &str) -> BTreeSet<u32> {
    let lines = header.lines().filter_map(|line| line.trim().strip_prefix(prefix)?.strip_suffix(','));
    lines.filter_map(|line| line.split_once(" = ")?.1.parse().ok()).collect()
}

/// The numbers of an enum of the plugin.
fn of_plugin(types: &str, name: &str) -> BTreeSet<u32> {
    let body = types.split_once(&format!("enum class {name} : uint8\n{{")).expect("the enum is there").1;
    let body = body.split_once("};").expect("the enum ends").0;
    let values = body.lines().filter_map(|line| line.trim().split_once(" = "));
    values
        .map(|(_name, value)| value.split([' ', ',']).next().expect("a word").parse().expect("a number"))
        .collect()
}

#[test]
fn every_number_is_the_same() {
    let header = fs::read_to_string(here().join("../../include/musetalk.h")).expect("the header is there");
    let types = fs::read_to_string(module().join("Public/MuseTalkTypes.h")).expect("the types are there");
    for (prefix, name) in [
        ("MUSETALK_STATUS_", "EMuseTalkStatus"),
        ("MUSETALK_DEVICE_", "EMuseTalkDevice"),
        ("MUSETALK_LOG_LEVEL_", "EMuseTalkLogLevel"),
        ("MUSETALK_POSTURE_", "EMuseTalkPosture"),
        ("MUSETALK_TURN_DETECTION_", "EMuseTalkTurnDetection"),
        ("MUSETALK_EVENT_KIND_", "EMuseTalkEventKind"),
    ] {
        let (theirs, mut ours) = (of_header(&header, prefix), of_plugin(&types, name));
        assert!(theirs.len() > 3, "{prefix}: {theirs:?}");
        // The plugin's own word for failures that it does not know.
        if name == "EMuseTalkStatus" {
            ours.remove(&254);
        }
        assert_eq!(ours, theirs, "{name}");
    }
}

#[test]
fn the_descriptor_names_what_is_there() {
    let text = fs::read_to_string(here().join("MuseTalk/MuseTalk.uplugin")).expect("the descriptor is there");
    let descriptor: serde_json::Value = serde_json::from_str(&text).expect("the descriptor is JSON");
    assert_eq!(descriptor["FileVersion"], 3);
    assert_eq!(descriptor["VersionName"], env!("CARGO_PKG_VERSION"));
    for entry in descriptor["Modules"].as_array().expect("modules are a list") {
        let name = entry["Name"].as_str().expect("a module has a name");
        assert!(here().join(format!("MuseTalk/Source/{name}/{name}.Build.cs")).is_file(), "{name}");
    }
}

#[test]
fn generated_code_is_included_last() {
    for header in files(&module().join("Public"), "h") {
        let text = fs::read_to_string(&header).expect("a header can be read");
        let name = header.file_stem().expect("a header has a name").to_string_lossy().into_owned();
        let last = text.lines().rfind(|line| line.starts_with("#include"));
        assert_eq!(last, Some(format!("#include \"{name}.generated.h\"").as_str()), "{}", header.display());
        assert_eq!(
            text.matches("GENERATED_BODY()").count(),
            text.matches("\nUCLASS").count() + text.matches("\nUSTRUCT").count()
        );
    }
}
