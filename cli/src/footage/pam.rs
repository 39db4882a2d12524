//! Pictures one after another in a pipe, each with its size before it: Netpbm's PAM, of which ffmpeg writes RGB and RGBA.

use std::io::{BufRead, ErrorKind, Read};

/// What stands before a picture.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Header {
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) channels: u32,
}

/// A header has some seventy bytes.
const LONGEST: u64 = 512;

/// Reads the next header; `None` where the pictures end.
pub(super) fn header(from: &mut impl BufRead) -> std::io::Result<Option<Header>> {
    let malformed =
        || std::io::Error::new(ErrorKind::InvalidData, "the pictures that ffmpeg gives have no headers");
    let mut head = Header { width: 0, height: 0, channels: 0 };
    let mut limited = from.take(LONGEST);
    let mut line = String::new();
    if limited.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    if line.trim_end() != "P7" {
        return Err(malformed());
    }
    loop {
        line.clear();
        if limited.read_line(&mut line)? == 0 {
            return Err(malformed());
        }
        let mut words = line.split_whitespace();
        let (name, value) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let number = || value.parse::<u32>().map_err(|e| std::io::Error::new(ErrorKind::InvalidData, e));
        match name {
            "WIDTH" => head.width = number()?,
            "HEIGHT" => head.height = number()?,
            "DEPTH" => head.channels = number()?,
            "MAXVAL" if number()? != 255 => return Err(malformed()),
            "ENDHDR" => break,
            _ => {}
        }
    }
    if head.width == 0 || head.height == 0 || !matches!(head.channels, 3 | 4) {
        return Err(malformed());
    }
    Ok(Some(head))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_read_and_nonsense_is_not() {
        let text = b"P7\nWIDTH 704\nHEIGHT 1216\nDEPTH 3\nMAXVAL 255\nTUPLTYPE RGB\nENDHDR\n\x01\x02";
        let mut rest = &text[..];
        assert_eq!(header(&mut rest).unwrap(), Some(Header { width: 704, height: 1216, channels: 3 }));
        assert_eq!(rest, [1, 2]);
        assert_eq!(header(&mut &b""[..]).unwrap(), None);
        for wrong in [&b"P6\n"[..], b"P7\nWIDTH x\n", b"P7\nWIDTH 3\nENDHDR\n", b"P7\nWIDTH 3\n"] {
            assert!(header(&mut &wrong[..]).is_err());
        }
        assert!(header(&mut &[b'P'; 4096][..]).is_err());
    }
}
