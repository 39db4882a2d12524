//! What a pickle can build: plain values, and descriptions of storages and tensors.

use crate::checkpoint::stored::{Element, Float};

/// The index of a node.
pub(super) type Id = usize;

/// A value that a pickle built.
#[derive(Debug)]
pub(super) enum Node {
    None,
    Flag(bool),
    Integer(i128),
    /// A floating-point number whose value nobody needs.
    Number,
    Text(String),
    Tuple(Vec<Id>),
    List(Vec<Id>),
    Dict(Vec<(Id, Id)>),
    Global(Global),
    /// Raw bytes, of which only numbers are made.
    Bytes(Vec<u8>),
    /// How NumPy stores a number.
    Dtype(Dtype),
    Storage(StorageView),
    Tensor(TensorView),
}

impl Node {
    /// A real number: a whole one where it is whole, as the boxes of MuseTalk's scripts are, `0.0` among them.
    pub(super) fn of_real(value: f64) -> Self {
        // Beyond this there are no halves left.
        let whole = value.fract() == 0.0 && value.abs() < 9e15;
        if whole { Self::Integer(value as i128) } else { Self::Number }
    }
}

/// A number format of NumPy, little-endian.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Dtype {
    Signed(usize),
    Unsigned(usize),
    Float(usize),
}

impl Dtype {
    /// As `numpy.dtype` is called: `i8`, `u2`, `f4`.
    pub(super) fn named(name: &str) -> Option<Self> {
        let size = name.get(1..)?.parse().ok().filter(|size| [1, 2, 4, 8].contains(size))?;
        match name.as_bytes().first()? {
            b'i' => Some(Self::Signed(size)),
            b'u' => Some(Self::Unsigned(size)),
            b'f' if size > 1 => Some(Self::Float(size)),
            _ => None,
        }
    }

    /// The number that these bytes are.
    pub(super) fn number(self, raw: &[u8]) -> Option<Node> {
        let (Self::Signed(size) | Self::Unsigned(size) | Self::Float(size)) = self;
        if raw.len() != size {
            return None;
        }
        if matches!(self, Self::Float(_)) {
            return Some(match *raw {
                [a, b, c, d] => Node::of_real(f32::from_le_bytes([a, b, c, d]).into()),
                [a, b, c, d, e, f, g, h] => Node::of_real(f64::from_le_bytes([a, b, c, d, e, f, g, h])),
                _ => Node::Number,
            });
        }
        let negative = matches!(self, Self::Signed(_)) && raw[size - 1] >= 0x80;
        let mut value = [if negative { 0xff } else { 0 }; 16];
        value[..size].copy_from_slice(raw);
        Some(Node::Integer(i128::from_le_bytes(value)))
    }
}

/// What a pickle may name, and what it stands for here.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Global {
    /// `collections.OrderedDict`
    OrderedDict,
    /// `torch._utils._rebuild_tensor` and `_rebuild_tensor_v2`
    Tensor,
    /// `torch._utils._rebuild_parameter`
    Parameter,
    /// `torch.FloatStorage` and the like
    Storage(Element),
    /// `numpy.core.multiarray.scalar`
    Scalar,
    /// `numpy.dtype`
    Dtype,
    /// `_codecs.encode`, which protocol 2 writes bytes with
    Encode,
}

/// A run of `count` values under a key that the file gives it.
#[derive(Clone, Debug)]
pub(super) struct StorageView {
    pub(super) element: Element,
    pub(super) key: String,
    pub(super) count: u64,
}

/// A part of a storage, not yet checked against it.
#[derive(Clone, Debug)]
pub(super) struct TensorView {
    pub(super) storage: StorageView,
    pub(super) offset: u64,
    pub(super) shape: Vec<usize>,
    pub(super) strides: Vec<usize>,
}

/// What a pickle built.
#[derive(Debug)]
pub(super) struct Built {
    nodes: Vec<Node>,
    root: Id,
}

impl Built {
    /// `root` is one of `nodes`.
    pub(super) fn new(nodes: Vec<Node>, root: Id) -> Self {
        Self { nodes, root }
    }

    pub(super) fn root(&self) -> &Node {
        &self.nodes[self.root]
    }

    pub(super) fn node(&self, id: Id) -> &Node {
        &self.nodes[id]
    }

    /// Everything that was built, in the order in which it was.
    pub(super) fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The entries of a dictionary whose keys are texts.
    pub(super) fn entries<'a>(&'a self, dict: &'a Node) -> impl Iterator<Item = (&'a str, &'a Node)> {
        let entries = if let Node::Dict(entries) = dict { entries.as_slice() } else { &[] };
        entries.iter().filter_map(|&(key, value)| match &self.nodes[key] {
            Node::Text(key) => Some((key.as_str(), &self.nodes[value])),
            _ => None,
        })
    }
}

impl Global {
    /// As a file names it.
    pub(super) fn name(&self) -> String {
        match self {
            Self::OrderedDict => "collections.OrderedDict".into(),
            Self::Tensor => "torch._utils._rebuild_tensor_v2".into(),
            Self::Parameter => "torch._utils._rebuild_parameter".into(),
            Self::Storage(element) => format!("a storage of {element}"),
            Self::Scalar => "numpy.core.multiarray.scalar".into(),
            Self::Dtype => "numpy.dtype".into(),
            Self::Encode => "_codecs.encode".into(),
        }
    }
}

/// The global of this name, if a list of numbers may hold it.
pub(super) fn known_number(module: &str, name: &str) -> Option<Global> {
    match (module, name) {
        ("numpy.core.multiarray" | "numpy._core.multiarray", "scalar") => Some(Global::Scalar),
        ("numpy", "dtype") => Some(Global::Dtype),
        ("_codecs", "encode") => Some(Global::Encode),
        _ => None,
    }
}

/// The global of this name, if a state dict may hold it.
pub(super) fn known(module: &str, name: &str) -> Option<Global> {
    let storage = |element| Some(Global::Storage(element));
    match (module, name) {
        ("collections", "OrderedDict") => Some(Global::OrderedDict),
        ("torch._utils", "_rebuild_tensor" | "_rebuild_tensor_v2") => Some(Global::Tensor),
        ("torch._utils", "_rebuild_parameter") => Some(Global::Parameter),
        ("torch", "DoubleStorage") => storage(Element::Float(Float::F64)),
        ("torch", "FloatStorage") => storage(Element::Float(Float::F32)),
        ("torch", "HalfStorage") => storage(Element::Float(Float::F16)),
        ("torch", "BFloat16Storage") => storage(Element::Float(Float::Bf16)),
        ("torch", "LongStorage") => storage(Element::other("I64", 8)),
        ("torch", "IntStorage") => storage(Element::other("I32", 4)),
        ("torch", "ShortStorage") => storage(Element::other("I16", 2)),
        ("torch", "CharStorage") => storage(Element::other("I8", 1)),
        ("torch", "ByteStorage") => storage(Element::other("U8", 1)),
        ("torch", "BoolStorage") => storage(Element::other("BOOL", 1)),
        _ => None,
    }
}
