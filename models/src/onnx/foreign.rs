//! Someone else's ONNX file, looked through where it lies.
//!
//! Nothing of it is copied or unfolded, so a hostile file takes no more memory here than its own length, and what would take
//! more when an engine loads it is refused: weights outside the file, weights larger than it, crowds of nodes, loops.

use std::collections::HashSet;

/// The most nodes and weights together; published face networks have about a thousand.
const MOST_PARTS: usize = 1 << 16;

/// The most subgraphs within one another.
const DEEPEST: usize = 8;

/// Whose operators an engine without extensions knows.
const DOMAINS: [&str; 3] = ["", "ai.onnx", "com.microsoft"];

/// Operators whose run has no bound.
const ENDLESS: [&str; 2] = ["Loop", "Scan"];

/// Number formats, by the format's number: bytes of one, and whether it can hold weights.
const FORMATS: [(u64, u64, bool); 13] = [
    (1, 4, true),
    (2, 1, false),
    (3, 1, false),
    (4, 2, false),
    (5, 2, false),
    (6, 4, false),
    (7, 8, false),
    (9, 1, false),
    (10, 2, true),
    (11, 8, true),
    (12, 4, false),
    (13, 8, false),
    (16, 2, true),
];

/// What a sound file holds.
#[derive(Debug, Default)]
pub(crate) struct Foreign {
    pub(crate) inputs: Vec<ForeignPort>,
    pub(crate) outputs: Vec<ForeignPort>,
    /// Fractional numbers in weights and constants.
    pub(crate) parameters: u64,
    parts: usize,
}

/// An input or output as the file describes it.
#[derive(Debug, Default)]
pub(crate) struct ForeignPort {
    pub(crate) name: String,
    /// The format's number of its number format.
    pub(crate) element: u64,
    /// Every side, the batch too; nothing for a length that each call chooses.
    pub(crate) sides: Vec<Option<u64>>,
}

/// Why a file is refused.
#[derive(Debug, PartialEq)]
pub(crate) enum Fault {
    /// It is no ONNX file, or a damaged one.
    Damaged(String),
    /// It asks for something that is not given.
    Refused(String),
}

impl Foreign {
    /// Looks through the bytes of a whole file.
    pub(crate) fn read(file: &[u8]) -> Result<Self, Fault> {
        let mut this = Self::default();
        let mut graph = None;
        for field in Fields(file) {
            match field? {
                (7, Content::Bytes(bytes)) if graph.replace(bytes).is_some() => {
                    return Err(Fault::Damaged("it holds two graphs".into()));
                }
                (20 | 25, _) => {
                    return Err(Fault::Refused("it holds functions or a training of its own".into()));
                }
                _ => {}
            }
        }
        let graph = graph.ok_or_else(|| Fault::Damaged("it holds no graph".into()))?;
        this.look_through(graph, file.len() as u64, 0)?;
        let weights = Fields(graph).filter_map(Result::ok).filter_map(|field| match field {
            (5, Content::Bytes(weight)) => text_of(weight, 8).ok(),
            _ => None,
        });
        // Old files list their weights among the inputs.
        let weights: HashSet<&str> = weights.collect();
        for field in Fields(graph) {
            match field? {
                (11, Content::Bytes(port)) if !weights.contains(text_of(port, 1)?) => {
                    this.inputs.push(ForeignPort::read(port)?);
                }
                (12, Content::Bytes(port)) => this.outputs.push(ForeignPort::read(port)?),
                _ => {}
            }
        }
        Ok(this)
    }

    fn look_through(&mut self, graph: &[u8], file: u64, depth: usize) -> Result<(), Fault> {
        if depth > DEEPEST {
            return Err(Fault::Refused(format!("its graphs lie more than {DEEPEST} deep in one another")));
        }
        for field in Fields(graph) {
            match field? {
                (1, Content::Bytes(node)) => self.node(node, file, depth)?,
                (5, Content::Bytes(weight)) => self.weight(weight, file)?,
                (15, _) => return Err(Fault::Refused("it holds sparse weights".into())),
                _ => {}
            }
        }
        Ok(())
    }

    fn node(&mut self, node: &[u8], file: u64, depth: usize) -> Result<(), Fault> {
        self.count()?;
        for field in Fields(node) {
            match field? {
                (4, Content::Bytes(op)) if ENDLESS.contains(&text(op)?) => {
                    return Err(Fault::Refused(format!("it runs a {}", text(op)?)));
                }
                (7, Content::Bytes(domain)) if !DOMAINS.contains(&text(domain)?) => {
                    let operator = text_of(node, 4)?;
                    return Err(Fault::Refused(format!(
                        "it runs {operator}, an operator of {}",
                        text(domain)?
                    )));
                }
                (5, Content::Bytes(attribute)) => self.attribute(attribute, file, depth)?,
                _ => {}
            }
        }
        Ok(())
    }

    fn attribute(&mut self, attribute: &[u8], file: u64, depth: usize) -> Result<(), Fault> {
        for field in Fields(attribute) {
            match field? {
                (5 | 10, Content::Bytes(weight)) => self.weight(weight, file)?,
                (6 | 11, Content::Bytes(graph)) => self.look_through(graph, file, depth + 1)?,
                (22 | 23, _) => return Err(Fault::Refused("it holds sparse weights".into())),
                _ => {}
            }
        }
        Ok(())
    }

    fn weight(&mut self, weight: &[u8], file: u64) -> Result<(), Fault> {
        self.count()?;
        let (mut count, mut format, mut raw) = (Some(1_u64), 0, None);
        for field in Fields(weight) {
            match field? {
                (1, Content::Number(side)) => count = count.and_then(|count| count.checked_mul(side)),
                (1, Content::Bytes(mut sides)) => {
                    while !sides.is_empty() {
                        let side = varint(&mut sides)?;
                        count = count.and_then(|count| count.checked_mul(side));
                    }
                }
                (2, Content::Number(number)) => format = number,
                (9, Content::Bytes(bytes)) => raw = Some(bytes.len() as u64),
                (13, _) | (14, Content::Number(1..)) => {
                    let text = format!("weight {:?} lies outside the file", text_of(weight, 8)?);
                    return Err(Fault::Refused(text));
                }
                _ => {}
            }
        }
        // In whatever field they lie, a number takes at least a byte.
        let known = FORMATS.iter().find(|(number, ..)| *number == format);
        let bytes = known.map(|(_, bytes, _)| bytes);
        let sound = count.filter(|count| match (raw, bytes) {
            (Some(raw), Some(bytes)) => count.checked_mul(*bytes) == Some(raw),
            _ => *count <= file,
        });
        let Some(count) = sound else {
            let text = format!("weight {:?} has not as many numbers as its shape says", text_of(weight, 8)?);
            return Err(Fault::Damaged(text));
        };
        if known.is_some_and(|(.., fractional)| *fractional) {
            self.parameters = self.parameters.saturating_add(count);
        }
        Ok(())
    }

    fn count(&mut self) -> Result<(), Fault> {
        self.parts += 1;
        match self.parts > MOST_PARTS {
            true => Err(Fault::Refused(format!("it holds more than {MOST_PARTS} nodes and weights"))),
            false => Ok(()),
        }
    }
}

impl ForeignPort {
    fn read(port: &[u8]) -> Result<Self, Fault> {
        let mut this = Self { name: text_of(port, 1)?.to_owned(), ..Self::default() };
        // Port → type → tensor → shape → side, each in its numbered field.
        for tensor in within(port, 2).flat_map(|kind| within(kind, 1)) {
            for field in Fields(tensor) {
                match field? {
                    (1, Content::Number(element)) => this.element = element,
                    (2, Content::Bytes(shape)) => {
                        for side in within(shape, 1) {
                            let lengths = Fields(side).filter_map(|field| match field {
                                Ok((1, Content::Number(length))) => Some(length),
                                _ => None,
                            });
                            this.sides.push(lengths.last());
                        }
                    }
                    _ => {}
                }
            }
        }
        Ok(this)
    }
}

/// The messages in the fields of this number.
fn within(message: &[u8], wanted: u64) -> impl Iterator<Item = &[u8]> {
    Fields(message).filter_map(move |field| match field {
        Ok((number, Content::Bytes(bytes))) if number == wanted => Some(bytes),
        _ => None,
    })
}

/// The text in the last field of this number, or an empty one.
fn text_of(message: &[u8], wanted: u64) -> Result<&str, Fault> {
    text(within(message, wanted).last().unwrap_or_default())
}

fn text(bytes: &[u8]) -> Result<&str, Fault> {
    std::str::from_utf8(bytes).map_err(|e| Fault::Damaged(format!("a name is no text ({e})")))
}

/// The numbered fields of a message, until the first that is malformed.
struct Fields<'a>(&'a [u8]);

/// What a field holds.
enum Content<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<(u64, Content<'a>), Fault>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let field = self.field();
        if field.is_err() {
            self.0 = &[];
        }
        Some(field)
    }
}

impl<'a> Fields<'a> {
    fn field(&mut self) -> Result<(u64, Content<'a>), Fault> {
        let key = varint(&mut self.0)?;
        let content = match key & 7 {
            0 => Content::Number(varint(&mut self.0)?),
            1 => Content::Bytes(self.take(8)?),
            2 => {
                let length = varint(&mut self.0)?;
                Content::Bytes(self.take(length)?)
            }
            5 => Content::Bytes(self.take(4)?),
            _ => return Err(cut_short()),
        };
        Ok((key >> 3, content))
    }

    fn take(&mut self, length: u64) -> Result<&'a [u8], Fault> {
        let split = usize::try_from(length).ok().and_then(|length| self.0.split_at_checked(length));
        let (taken, rest) = split.ok_or_else(cut_short)?;
        self.0 = rest;
        Ok(taken)
    }
}

/// A number in as many bytes as it needs, ten at most.
fn varint(bytes: &mut &[u8]) -> Result<u64, Fault> {
    let mut number = 0;
    for place in 0..10 {
        let (&byte, rest) = bytes.split_first().ok_or_else(cut_short)?;
        *bytes = rest;
        number |= u64::from(byte & 127) << (7 * place);
        if byte < 128 {
            return Ok(number);
        }
    }
    Err(cut_short())
}

fn cut_short() -> Fault {
    Fault::Damaged("it is no ONNX file, or was cut short".into())
}
