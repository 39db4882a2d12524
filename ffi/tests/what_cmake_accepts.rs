//! Which versions `find_package` accepts: those of the same major from 1.0 on, of the same minor before.

#![allow(clippy::unwrap_used, reason = "a test fails by unwrapping")]

mod support;

use std::process::Command;

use support::{has, scratch, succeeds};

/// What `find_package(musetalk WANTED)` makes of an installed `version`.
const LOOK: &str = r#"
configure_file("${TEMPLATE}" version.cmake @ONLY)
set(PACKAGE_FIND_VERSION "${WANTED}")
string(REPLACE "." ";" parts "${WANTED}")
list(LENGTH parts PACKAGE_FIND_VERSION_COUNT)
foreach(name MAJOR MINOR PATCH)
  set(PACKAGE_FIND_VERSION_${name} 0)
  if(parts)
    list(GET parts 0 PACKAGE_FIND_VERSION_${name})
    list(REMOVE_AT parts 0)
  endif()
endforeach()
include("${CMAKE_CURRENT_BINARY_DIR}/version.cmake")
if(NOT PACKAGE_VERSION_COMPATIBLE STREQUAL EXPECTED)
  message(FATAL_ERROR "${VERSION} for ${WANTED}: ${PACKAGE_VERSION_COMPATIBLE}")
endif()
"#;

#[test]
fn another_major_is_another_package() {
    if !has("cmake") {
        return;
    }
    let folder = scratch("what-cmake-accepts");
    std::fs::write(folder.join("look.cmake"), LOOK).unwrap();
    let template = xtask::root().join("bindings/cpp/musetalk-config-version.cmake.in");
    for (version, wanted, expected) in [
        ("0.1.0", "0.1", true),
        ("0.1.4", "0.1.2", true),
        ("0.1.0", "0.1.2", false),
        ("0.2.0", "0.1", false),
        ("0.2.0", "0", true),
        ("1.0.0", "0.1", false),
        ("1.0.0", "0", false),
        ("1.0.0", "1.0", true),
        ("1.4.2", "1.0", true),
        ("1.4.2", "1", true),
        ("1.0.0", "1.4", false),
        ("2.0.0", "1.0", false),
        ("2.0.0", "1", false),
        ("2.0.0", "", true),
        ("12.0.0", "1.0", false),
    ] {
        let mut look = Command::new("cmake");
        look.current_dir(&folder).arg(format!("-DTEMPLATE={}", template.display()));
        look.args([format!("-DVERSION={version}"), format!("-DWANTED={wanted}")]);
        look.arg(format!("-DEXPECTED={}", if expected { "TRUE" } else { "FALSE" }));
        succeeds(look.arg("-P").arg("look.cmake"));
    }
}
