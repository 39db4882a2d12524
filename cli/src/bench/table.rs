use serde_json::{Map, Value};

use super::machine::{Machine, load};
use super::row::Row;
use crate::report;

/// The rows, on the machine that they were measured on.
pub(super) struct Table {
    machine: Machine,
    rows: Vec<Row>,
}

impl Table {
    pub(super) fn new(machine: Machine) -> Self {
        Self { machine, rows: Vec::new() }
    }

    pub(super) fn add(&mut self, row: Row) {
        self.rows.push(row);
    }

    /// For people; with `json`, one line for programs after it.
    pub(super) fn print(&self, json: bool) {
        for line in self.machine.in_words() {
            report::line(&line);
        }
        report::line("");
        for line in self.rows.iter().flat_map(Row::in_words) {
            report::line(&line);
        }
        report::line(&format!("\nload at the end: {}", load()));
        if json {
            let rows: Map<String, Value> = self.rows.iter().map(Row::json).collect();
            let mut all = self.machine.json();
            all.insert("load_at_the_end".to_owned(), load().into());
            all.insert("rows".to_owned(), rows.into());
            report::line(&Value::Object(all).to_string());
        }
    }
}
