//! Which system a shared library needs, read from the library itself (ELF, 64 bits, little-endian).

/// What `manylinux_2_28` promises, as far as this library uses it.
pub(crate) const PART_OF_THE_SYSTEM: &[&str] =
    &["ld-linux", "libc.so", "libdl.so", "libgcc_s.so", "libm.so", "libpthread.so", "librt.so"];

/// What a library asks of whoever loads it.
#[derive(Debug, Default)]
pub(crate) struct Needs {
    /// The newest version of the C library of which it uses a symbol.
    pub(crate) newest: (u32, u32),
    /// The libraries that it names.
    pub(crate) libraries: Vec<String>,
}

const STRINGS: u32 = 3;
const DYNAMIC: u32 = 6;
const VERSIONS_NEEDED: u32 = 0x6fff_fffe;
const NEEDED: u64 = 1;

/// Reads the needed versions and libraries.
pub(crate) fn needs(elf: &[u8]) -> Result<Needs, String> {
    if elf.get(..6) != Some(b"\x7fELF\x02\x01") {
        return Err("the library is no 64-bit ELF file".to_owned());
    }
    let sections = Sections::of(elf).ok_or("the library is cut off")?;
    let mut needs = Needs::default();
    for section in &sections.all {
        if section.kind == VERSIONS_NEEDED {
            versions(elf, section, &sections, &mut needs).ok_or("its needed versions are cut off")?;
        }
        if section.kind == DYNAMIC {
            let names = sections.all.get(section.link).ok_or("its names are missing")?;
            let entries = elf.get(section.range()).ok_or("its dynamic section is cut off")?;
            for entry in entries.chunks_exact(16) {
                if number(entry, 0, 8) == Some(NEEDED) {
                    let at = number(entry, 8, 8).ok_or("it is cut off")?;
                    needs.libraries.push(name(elf, names, at).ok_or("a name is cut off")?);
                }
            }
        }
    }
    if needs.libraries.is_empty() {
        return Err("the library names no other; was it built?".to_owned());
    }
    Ok(needs)
}

struct Section {
    kind: u32,
    offset: usize,
    size: usize,
    link: usize,
    info: u64,
}

impl Section {
    fn range(&self) -> std::ops::Range<usize> {
        self.offset..self.offset.saturating_add(self.size)
    }
}

struct Sections {
    all: Vec<Section>,
}

impl Sections {
    fn of(elf: &[u8]) -> Option<Self> {
        let (table, size, count) = (number(elf, 0x28, 8)?, number(elf, 0x3a, 2)?, number(elf, 0x3c, 2)?);
        let read = |index: u64| {
            let at = usize::try_from(table + index * size).ok()?;
            Some(Section {
                kind: u32::try_from(number(elf, at + 4, 4)?).ok()?,
                offset: usize::try_from(number(elf, at + 24, 8)?).ok()?,
                size: usize::try_from(number(elf, at + 32, 8)?).ok()?,
                link: usize::try_from(number(elf, at + 40, 4)?).ok()?,
                info: number(elf, at + 44, 4)?,
            })
        };
        Some(Self { all: (0..count).map(read).collect::<Option<_>>()? })
    }
}

/// A chain of libraries, and in each a chain of versions.
fn versions(elf: &[u8], section: &Section, sections: &Sections, needs: &mut Needs) -> Option<()> {
    let names = sections.all.get(section.link).filter(|names| names.kind == STRINGS)?;
    let mut library = section.offset;
    for _ in 0..section.info {
        let mut version = library + usize::try_from(number(elf, library + 8, 4)?).ok()?;
        for _ in 0..number(elf, library + 2, 2)? {
            let name = name(elf, names, number(elf, version + 8, 4)?)?;
            if let Some(number) = name.strip_prefix("GLIBC_").and_then(parsed) {
                needs.newest = needs.newest.max(number);
            }
            version += usize::try_from(number(elf, version + 12, 4)?).ok()?;
        }
        library += usize::try_from(number(elf, library + 12, 4)?).ok()?;
    }
    Some(())
}

fn parsed(version: &str) -> Option<(u32, u32)> {
    let mut parts = version.split('.').map(str::parse);
    Some((parts.next()?.ok()?, parts.next()?.ok()?))
}

fn name(elf: &[u8], names: &Section, at: u64) -> Option<String> {
    let bytes = elf.get(names.range())?.get(usize::try_from(at).ok()?..)?;
    let end = bytes.iter().position(|&byte| byte == 0)?;
    String::from_utf8(bytes[..end].to_vec()).ok()
}

fn number(bytes: &[u8], at: usize, size: usize) -> Option<u64> {
    let bytes = bytes.get(at..at.checked_add(size)?)?;
    Some(bytes.iter().rev().fold(0, |sum, &byte| sum << 8 | u64::from(byte)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_program_says_what_it_needs() {
        if !cfg!(all(target_os = "linux", target_pointer_width = "64", target_endian = "little")) {
            eprintln!("skipped: this system has no ELF programs");
            return;
        }
        let elf = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        let needs = needs(&elf).unwrap();
        assert!(needs.libraries.iter().any(|name| name.starts_with("libc.so")), "{needs:?}");
        assert!(needs.newest >= (2, 2), "{needs:?}");
        for length in [0, 5, 6, 64, 4096] {
            assert!(super::needs(&elf[..length]).is_err());
        }
    }
}
