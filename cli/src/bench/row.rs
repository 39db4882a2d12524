use serde_json::{Map, Value, json};

/// What one measurement found.
#[derive(Debug)]
pub(super) struct Row {
    name: &'static str,
    what: &'static str,
    figure: String,
    aim: String,
    met: Option<bool>,
    notes: Vec<String>,
    values: Map<String, Value>,
}

impl Row {
    /// `name` is for programs, `what` for people.
    pub(super) fn new(name: &'static str, what: &'static str, figure: String) -> Self {
        Self { name, what, figure, aim: String::new(), met: None, notes: Vec::new(), values: Map::new() }
    }

    /// What it should reach, and whether it does; `None` where that cannot be said.
    pub(super) fn aim(mut self, aim: impl Into<String>, met: impl Into<Option<bool>>) -> Self {
        self.aim = aim.into();
        self.met = met.into();
        self
    }

    /// A line below the figure.
    pub(super) fn note(mut self, note: String) -> Self {
        self.notes.push(note);
        self
    }

    /// A number for programs, rounded to a thousandth.
    pub(super) fn value(mut self, key: &str, value: f64) -> Self {
        self.values.insert(key.to_owned(), json!((value * 1e3).round() / 1e3));
        self
    }

    /// For a person: the figure, and its notes below.
    pub(super) fn in_words(&self) -> Vec<String> {
        let met = match self.met {
            Some(true) => "met",
            Some(false) => "NOT MET",
            None => "",
        };
        let first = format!("{:<39} {:<38} {:<40} {met}", self.what, self.figure, self.aim);
        let notes = self.notes.iter().map(|note| format!("    {note}"));
        std::iter::once(first.trim_end().to_owned()).chain(notes).collect()
    }

    /// For a program.
    pub(super) fn json(&self) -> (String, Value) {
        let mut object = self.values.clone();
        object.insert("figure".to_owned(), json!(self.figure));
        object.insert("aim".to_owned(), json!(self.aim));
        object.insert("met".to_owned(), json!(self.met));
        (self.name.to_owned(), Value::Object(object))
    }
}
