//! An interpreter of the part of pickle that state dicts are written in. It builds numbers, texts, tuples, lists,
//! dictionaries, and descriptions of storages and tensors; nothing is imported, called or executed.
//!
//! Every opcode and every global outside the lists below is refused by name. Values live in one arena and refer to each
//! other by index, so that no file, however self-referential, leaks or recurses.

use std::collections::HashMap;
use std::io::Read;
use std::path::Path;

use musetalk_core::{Error, ErrorKind, Result};

use super::opcode;
use super::value::{Built, Dtype, Global, Id, Node, StorageView, TensorView, known, known_number};

/// Opcodes in one pickle; MuseTalk's UNet has 40 000. Everything that grows while reading grows by one for each.
const MOST_OPCODES: u32 = 1 << 21;

/// Bytes of one pickle; MuseTalk's UNet has 100 000.
pub(super) const LONGEST: u64 = 32 << 20;

/// Marks that are open at a time.
const DEEPEST: usize = 256;

/// The most sides a tensor may have.
const MOST_SIDES: usize = 8;

/// Bytes of the name of a global or of the key of a storage.
const LONGEST_NAME: usize = 256;

/// Reads one pickle from `input`. `within` is what messages call it, `at` the offset they count from.
pub(super) fn read(input: &mut dyn Read, path: &Path, within: &'static str, at: u64) -> Result<(Built, u64)> {
    run(input, path, within, at, Wanted::Tensors)
}

/// Reads one pickle of plain values and of NumPy's numbers, which become whole numbers.
pub(super) fn read_numbers(input: &mut dyn Read, path: &Path) -> Result<(Built, u64)> {
    run(input, path, "", 0, Wanted::Numbers)
}

/// What is taken from a pickle; all else is refused.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Wanted {
    Tensors,
    Numbers,
}

fn run(
    input: &mut dyn Read,
    path: &Path,
    within: &'static str,
    at: u64,
    wanted: Wanted,
) -> Result<(Built, u64)> {
    let mut machine = Machine {
        input,
        path,
        within,
        wanted,
        at,
        end: at.saturating_add(LONGEST),
        opcode: (0, at),
        copied: 0,
        nodes: Vec::new(),
        stack: Vec::new(),
        marks: Vec::new(),
        memo: HashMap::new(),
    };
    let root = machine.run()?;
    let at = machine.at;
    Ok((Built::new(machine.nodes, root), at))
}

struct Machine<'a> {
    input: &'a mut dyn Read,
    path: &'a Path,
    within: &'static str,
    wanted: Wanted,
    at: u64,
    end: u64,
    /// The one being worked on, and where it stands.
    opcode: (u8, u64),
    /// Entries that calls have copied.
    copied: u32,
    nodes: Vec<Node>,
    stack: Vec<Id>,
    marks: Vec<usize>,
    memo: HashMap<u64, Id>,
}

impl Machine<'_> {
    fn run(&mut self) -> Result<Id> {
        for _ in 0..MOST_OPCODES {
            let at = self.at;
            self.opcode = (self.byte()?, at);
            if self.opcode.0 == b'.' {
                return match self.stack[..] {
                    [root] if self.marks.is_empty() => Ok(root),
                    _ => Err(self.damaged("it ends with more or less than one value")),
                };
            }
            self.step()?;
        }
        Err(self.damaged(format!("it has more than {MOST_OPCODES} opcodes")))
    }

    fn step(&mut self) -> Result<()> {
        match self.opcode.0 {
            0x80 => match self.byte()? {
                0..=5 => Ok(()),
                other => Err(self.unsupported(format!("protocol {other}"))),
            },
            // A frame is a hint for reading ahead.
            0x95 => self.number(8).map(|_| ()),
            b'(' => self.mark(),
            b'0' => self.pop().map(|_| ()),
            b'1' => self.since_mark().map(|_| ()),
            b'2' => {
                let top = self.top()?;
                self.stack.push(top);
                Ok(())
            }
            b'N' => self.push(Node::None),
            0x88 => self.push(Node::Flag(true)),
            0x89 => self.push(Node::Flag(false)),
            b'K' => self.integer(1),
            b'M' => self.integer(2),
            b'J' => {
                let value = self.number(4)? as u32;
                self.push(Node::Integer(value.cast_signed().into()))
            }
            0x8a => self.long(),
            b'G' => {
                let value = f64::from_bits(self.number(8)?.swap_bytes());
                let wanted = self.wanted == Wanted::Numbers;
                self.push(if wanted { Node::of_real(value) } else { Node::Number })
            }
            b'U' | 0x8c => self.text(1),
            b'T' | b'X' => self.text(4),
            0x8d => self.text(8),
            b'C' if self.wanted == Wanted::Numbers => self.raw(1),
            b'B' if self.wanted == Wanted::Numbers => self.raw(4),
            b')' => self.push(Node::Tuple(Vec::new())),
            0x85..=0x87 => {
                let items = self.pop_many(usize::from(self.opcode.0 - 0x84))?;
                self.push(Node::Tuple(items))
            }
            b't' => {
                let items = self.since_mark()?;
                self.push(Node::Tuple(items))
            }
            b']' => self.push(Node::List(Vec::new())),
            b'l' => {
                let items = self.since_mark()?;
                self.push(Node::List(items))
            }
            b'a' => {
                let item = self.pop()?;
                self.append(vec![item])
            }
            b'e' => {
                let items = self.since_mark()?;
                self.append(items)
            }
            b'}' => self.push(Node::Dict(Vec::new())),
            b's' => {
                let items = self.pop_many(2)?;
                self.set_items(&items)
            }
            b'u' => {
                let items = self.since_mark()?;
                self.set_items(&items)
            }
            b'q' | b'r' => {
                let index = self.number(if self.opcode.0 == b'q' { 1 } else { 4 })?;
                let top = self.top()?;
                self.memo.insert(index, top);
                Ok(())
            }
            0x94 => {
                let top = self.top()?;
                self.memo.insert(self.memo.len() as u64, top);
                Ok(())
            }
            b'h' | b'j' => {
                let index = self.number(if self.opcode.0 == b'h' { 1 } else { 4 })?;
                let Some(&id) = self.memo.get(&index) else {
                    return Err(self.damaged(format!("nothing was kept as number {index}")));
                };
                self.stack.push(id);
                Ok(())
            }
            b'c' => {
                let (module, name) = (self.line()?, self.line()?);
                self.global(&module, &name)
            }
            0x93 => {
                let names = self.pop_many(2)?;
                let [Node::Text(module), Node::Text(name)] = [&self.nodes[names[0]], &self.nodes[names[1]]]
                else {
                    return Err(self.damaged("a global is named by something that is no text"));
                };
                if module.len().max(name.len()) > LONGEST_NAME {
                    return Err(self.damaged("the name of a global has no end"));
                }
                let (module, name) = (module.clone(), name.clone());
                self.global(&module, &name)
            }
            b'Q' => self.storage(),
            b'R' => self.call(),
            b'b' => self.state(),
            _ => Err(self.unsupported("an opcode that no state dict needs")),
        }
    }

    /// Puts a value on the stack.
    fn push(&mut self, node: Node) -> Result<()> {
        self.stack.push(self.nodes.len());
        self.nodes.push(node);
        Ok(())
    }

    /// Puts the value of an allowed global on the stack.
    fn global(&mut self, module: &str, name: &str) -> Result<()> {
        let known = match self.wanted {
            Wanted::Tensors => known(module, name),
            Wanted::Numbers => known_number(module, name),
        };
        match known {
            Some(global) => self.push(Node::Global(global)),
            None => Err(self.unsupported(format!("{module}.{name}"))),
        }
    }

    /// A persistent id: `("storage", type, key, place, count)`, in legacy files with None at its end.
    fn storage(&mut self) -> Result<()> {
        let id = self.pop()?;
        let Node::Tuple(items) = &self.nodes[id] else {
            return Err(self.damaged("a persistent id is no tuple"));
        };
        let parts: Vec<&Node> = items.iter().take(7).map(|&item| &self.nodes[item]).collect();
        let view = match parts[..] {
            [
                Node::Text(what),
                Node::Global(Global::Storage(element)),
                Node::Text(key),
                Node::Text(_),
                Node::Integer(count),
                ..,
            ] if what == "storage"
                && key.len() <= LONGEST_NAME
                && (parts.len() == 5 || matches!(parts[5..], [Node::None])) =>
            {
                u64::try_from(*count).ok().map(|count| (element.clone(), key.clone(), count))
            }
            _ => None,
        };
        match view {
            Some((element, key, count)) => self.push(Node::Storage(StorageView { element, key, count })),
            None => Err(self.damaged("a persistent id is not that of a storage")),
        }
    }

    /// What a call of an allowed global stands for.
    fn call(&mut self) -> Result<()> {
        let parts = self.pop_many(2)?;
        let (Node::Global(global), Node::Tuple(arguments)) = (&self.nodes[parts[0]], &self.nodes[parts[1]])
        else {
            return Err(self.damaged("something is called that is no global, or with no tuple"));
        };
        let arguments: Vec<&Node> = arguments.iter().take(8).map(|&id| &self.nodes[id]).collect();
        let built = match (global, &arguments[..]) {
            (Global::OrderedDict, []) => Some(Node::Dict(Vec::new())),
            // As Python 2 wrote them. The same list can be used many times; what is copied is limited as opcodes are.
            (Global::OrderedDict, [Node::List(items)]) => {
                self.copied = self.copied.saturating_add(u32::try_from(items.len()).unwrap_or(u32::MAX));
                if self.copied > MOST_OPCODES {
                    return Err(self.damaged(format!("it has more than {MOST_OPCODES} entries")));
                }
                self.pairs(items).map(Node::Dict)
            }
            (Global::Parameter, [Node::Tensor(tensor), ..]) => Some(Node::Tensor(tensor.clone())),
            (
                Global::Tensor,
                [Node::Storage(storage), Node::Integer(offset), Node::Tuple(shape), Node::Tuple(strides), ..],
            ) => self.tensor(storage, *offset, shape, strides).map(Node::Tensor),
            (Global::Dtype, [Node::Text(name), ..]) => Dtype::named(name).map(Node::Dtype),
            (Global::Scalar, [Node::Dtype(dtype), Node::Bytes(raw)]) => dtype.number(raw),
            // Every letter is one byte.
            (Global::Encode, [Node::Text(text), Node::Text(code)])
                if code == "latin1" && text.len() <= 16 =>
            {
                text.chars()
                    .map(|letter| u8::try_from(u32::from(letter)).ok())
                    .collect::<Option<_>>()
                    .map(Node::Bytes)
            }
            _ => None,
        };
        match built {
            Some(node) => self.push(node),
            None => {
                let (name, of) = (global.name(), self.being_named());
                Err(self.damaged(format!("{name} is called with something else than it takes{of}")))
            }
        }
    }

    /// Of which tensor an error is: in a dictionary the name lies right below the value.
    fn being_named(&self) -> String {
        match self.stack.last().map(|&id| &self.nodes[id]) {
            Some(Node::Text(name)) => format!(" (for {name:.200})"),
            _ => String::new(),
        }
    }

    fn pairs(&self, items: &[Id]) -> Option<Vec<(Id, Id)>> {
        let pair = |&item: &Id| match &self.nodes[item] {
            Node::List(pair) | Node::Tuple(pair) => {
                <[Id; 2]>::try_from(pair.as_slice()).ok().map(|[k, v]| (k, v))
            }
            _ => None,
        };
        items.iter().map(pair).collect()
    }

    fn tensor(
        &self,
        storage: &StorageView,
        offset: i128,
        shape: &[Id],
        strides: &[Id],
    ) -> Option<TensorView> {
        let sides = |ids: &[Id]| -> Option<Vec<usize>> {
            let side = |&id: &Id| match self.nodes[id] {
                Node::Integer(side) => usize::try_from(side).ok(),
                _ => None,
            };
            ids.iter().map(side).collect()
        };
        if shape.len() > MOST_SIDES || strides.len() != shape.len() {
            return None;
        }
        let offset = u64::try_from(offset).ok()?;
        Some(TensorView { storage: storage.clone(), offset, shape: sides(shape)?, strides: sides(strides)? })
    }

    /// The attributes of an `OrderedDict`; the one that state dicts have is left out, any other is refused.
    fn state(&mut self) -> Result<()> {
        let state = self.pop()?;
        let object = self.top()?;
        if let (Node::Dtype(_), Node::Tuple(parts)) = (&self.nodes[object], &self.nodes[state]) {
            // Version, byte order, and what only compound formats have.
            return match parts.get(1).map(|&order| &self.nodes[order]) {
                Some(Node::Text(order)) if order == "<" || order == "|" => Ok(()),
                _ => Err(self.unsupported("numbers that are not little-endian")),
            };
        }
        let (Node::Dict(_), Node::Dict(entries)) = (&self.nodes[object], &self.nodes[state]) else {
            return Err(self.unsupported("an object with a state of its own"));
        };
        if entries.len() > 16 {
            return Err(self.unsupported(format!("an object with {} attributes", entries.len())));
        }
        for &(key, _) in entries {
            match &self.nodes[key] {
                Node::Text(name) if name == "_metadata" => {}
                Node::Text(name) => return Err(self.unsupported(format!("an attribute {name:?}"))),
                _ => return Err(self.damaged("an attribute has no name")),
            }
        }
        Ok(())
    }

    fn append(&mut self, items: Vec<Id>) -> Result<()> {
        let list = self.top()?;
        match &mut self.nodes[list] {
            Node::List(list) => {
                list.extend(items);
                Ok(())
            }
            _ => Err(self.damaged("something is appended to what is no list")),
        }
    }

    fn set_items(&mut self, items: &[Id]) -> Result<()> {
        let dict = self.top()?;
        let (pairs, rest) = items.as_chunks::<2>();
        match &mut self.nodes[dict] {
            Node::Dict(entries) if rest.is_empty() => {
                entries.extend(pairs.iter().map(|&[key, value]| (key, value)));
                Ok(())
            }
            _ => Err(self.damaged("keys and values are set in pairs, in a dictionary")),
        }
    }

    fn mark(&mut self) -> Result<()> {
        if self.marks.len() == DEEPEST {
            return Err(self.damaged(format!("it is nested more than {DEEPEST} deep")));
        }
        self.marks.push(self.stack.len());
        Ok(())
    }

    fn since_mark(&mut self) -> Result<Vec<Id>> {
        match self.marks.pop() {
            Some(mark) => Ok(self.stack.split_off(mark)),
            None => Err(self.damaged("a mark is missing")),
        }
    }

    fn pop(&mut self) -> Result<Id> {
        Ok(self.pop_many(1)?[0])
    }

    /// The last `count` values. None of them lies below an open mark.
    fn pop_many(&mut self, count: usize) -> Result<Vec<Id>> {
        match self.above_mark().checked_sub(count) {
            Some(_) => Ok(self.stack.split_off(self.stack.len() - count)),
            None => Err(self.damaged("a value is missing")),
        }
    }

    fn top(&self) -> Result<Id> {
        match self.stack.last() {
            Some(&top) if self.above_mark() > 0 => Ok(top),
            _ => Err(self.damaged("a value is missing")),
        }
    }

    fn above_mark(&self) -> usize {
        self.stack.len() - self.marks.last().copied().unwrap_or(0)
    }

    /// Pushes an unsigned number of `bytes` bytes.
    fn integer(&mut self, bytes: u64) -> Result<()> {
        let value = self.number(bytes)?;
        self.push(Node::Integer(value.into()))
    }

    /// Pushes a signed number of any length up to 16 bytes.
    fn long(&mut self) -> Result<()> {
        let length = self.number(1)?;
        if length > 16 {
            return Err(self.damaged(format!("a whole number has {length} bytes")));
        }
        let raw = self.bytes(length)?;
        let fill = if raw.last().is_some_and(|last| *last >= 0x80) { 0xff } else { 0 };
        let mut value = [fill; 16];
        value[..raw.len()].copy_from_slice(&raw);
        self.push(Node::Integer(i128::from_le_bytes(value)))
    }

    /// Pushes the bytes of a number, whose length has `bytes` bytes.
    fn raw(&mut self, bytes: u64) -> Result<()> {
        let length = self.number(bytes)?;
        if length > 16 {
            return Err(self.damaged(format!("the bytes of a number are {length}")));
        }
        let raw = self.bytes(length)?;
        self.push(Node::Bytes(raw))
    }

    /// Pushes a text whose length has `bytes` bytes.
    fn text(&mut self, bytes: u64) -> Result<()> {
        let length = self.number(bytes)?;
        let raw = self.bytes(length)?;
        match String::from_utf8(raw) {
            Ok(text) => self.push(Node::Text(text)),
            Err(_) => Err(self.damaged("a text is not UTF-8")),
        }
    }

    /// Up to the next line break, which is left out.
    fn line(&mut self) -> Result<String> {
        let mut line = Vec::new();
        loop {
            match self.byte()? {
                b'\n' => return Ok(String::from_utf8_lossy(&line).into_owned()),
                _ if line.len() == LONGEST_NAME => {
                    return Err(self.damaged("the name of a global has no end"));
                }
                byte => line.push(byte),
            }
        }
    }

    fn byte(&mut self) -> Result<u8> {
        Ok(self.number(1)? as u8)
    }

    /// A little-endian number of up to 8 bytes.
    fn number(&mut self, bytes: u64) -> Result<u64> {
        let mut value = [0; 8];
        let raw = self.bytes(bytes)?;
        value[..raw.len()].copy_from_slice(&raw);
        Ok(u64::from_le_bytes(value))
    }

    /// The next bytes, whose memory is taken as they come and not as a file claims.
    fn bytes(&mut self, count: u64) -> Result<Vec<u8>> {
        if count > self.end - self.at {
            return Err(self.damaged(format!("it is longer than {} MiB", LONGEST >> 20)));
        }
        let mut raw = Vec::new();
        let read = (&mut *self.input).take(count).read_to_end(&mut raw);
        read.map_err(|e| Error::io("read the header of", self.path, e))?;
        self.at += raw.len() as u64;
        if raw.len() as u64 == count { Ok(raw) } else { Err(self.damaged("it ends in the middle")) }
    }

    fn damaged(&self, what: impl std::fmt::Display) -> Error {
        self.refused(ErrorKind::Corrupt, format!("the pickle is damaged, {what}"))
    }

    fn unsupported(&self, what: impl std::fmt::Display) -> Error {
        let text = format!(
            "the pickle asks for {what}, and only {} (nothing was executed)",
            match self.wanted {
                Wanted::Tensors => "tensors are taken from a checkpoint",
                Wanted::Numbers => "whole numbers are taken from it",
            }
        );
        self.refused(ErrorKind::Unsupported, text)
    }

    fn refused(&self, kind: ErrorKind, what: String) -> Error {
        let (opcode, at) = self.opcode;
        let opcode = opcode::name(opcode);
        Error::new(kind, format!("{what}: {opcode} at byte {at}{}: {}", self.within, self.path.display()))
    }
}
