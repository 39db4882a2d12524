//! Functions that the model has asked for: their outputs go back in the order of the calls, and one answer is asked for when
//! the last of an answer's calls is done.

use std::time::Duration;

/// What a function answered.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct ToolOutput {
    /// Free text; JSON by habit.
    pub text: String,
    /// Whether the model should say something about it.
    pub reply: bool,
}

impl ToolOutput {
    /// An output that the model reacts to.
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), reply: true }
    }

    /// An output that the model takes in without a word.
    pub fn silent(text: impl Into<String>) -> Self {
        Self { text: text.into(), reply: false }
    }

    /// What the model is told when a function failed.
    pub fn failed(why: impl std::fmt::Display) -> Self {
        Self::new(serde_json::json!({"error": why.to_string()}).to_string())
    }
}

#[derive(Debug, Default)]
pub(crate) struct Calls {
    batches: Vec<Batch>,
}

/// Calls that are not settled, at a time. No model makes so many.
pub(crate) const MOST_CALLS: usize = 128;

/// Whether a call begins.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Begun {
    Now,
    /// It is known already.
    Before,
    TooMany,
}

/// The calls of one answer.
#[derive(Debug)]
struct Batch {
    response_id: String,
    calls: Vec<Call>,
    /// The answer is over: no call will follow.
    complete: bool,
    /// The answer was cut: the person speaks, so nobody asks for a reaction.
    cut: bool,
    reply: bool,
}

#[derive(Debug)]
pub(crate) struct Call {
    call_id: String,
    output_index: u32,
    name: String,
    arguments: String,
    output: Option<ToolOutput>,
    sent: bool,
    deadline: Duration,
    /// Its connection is gone: the model of the next one does not know that it called.
    forgotten: bool,
}

impl Call {
    pub(crate) fn new(
        call_id: &str,
        output_index: u32,
        name: &str,
        arguments: &str,
        deadline: Duration,
    ) -> Self {
        Self {
            call_id: call_id.to_owned(),
            output_index,
            name: name.to_owned(),
            arguments: arguments.to_owned(),
            output: None,
            sent: false,
            deadline,
            forgotten: false,
        }
    }
}

/// What to tell the model of a call.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct Answered {
    pub(crate) call_id: String,
    pub(crate) output: String,
    /// Name and arguments, where the model must be told first that it called.
    pub(crate) reminder: Option<(String, String)>,
}

impl Calls {
    /// A call whose arguments are complete.
    pub(crate) fn begin(&mut self, response_id: &str, call: Call) -> Begun {
        let calls = || self.batches.iter().flat_map(|batch| &batch.calls);
        if calls().any(|known| known.call_id == call.call_id) {
            return Begun::Before;
        }
        if calls().count() >= MOST_CALLS {
            return Begun::TooMany;
        }
        let known = self.batches.iter().position(|batch| batch.response_id == response_id);
        let index = known.unwrap_or_else(|| {
            self.batches.push(Batch {
                response_id: response_id.to_owned(),
                calls: Vec::new(),
                complete: false,
                cut: false,
                reply: false,
            });
            self.batches.len() - 1
        });
        let calls = &mut self.batches[index].calls;
        let place = calls.iter().position(|other| other.output_index > call.output_index && !other.sent);
        calls.insert(place.unwrap_or(calls.len()), call);
        Begun::Now
    }

    /// A function has answered; `false` if nobody waits for it, or its time was up.
    pub(crate) fn answer(&mut self, call_id: &str, output: ToolOutput) -> bool {
        let mut calls = self.batches.iter_mut().flat_map(|batch| &mut batch.calls);
        match calls.find(|call| call.call_id == call_id && call.output.is_none()) {
            Some(call) => {
                call.output = Some(output);
                true
            }
            None => false,
        }
    }

    pub(crate) fn response_done(&mut self, response_id: &str) {
        self.batches.iter_mut().filter(|b| b.response_id == response_id).for_each(|b| b.complete = true);
    }

    pub(crate) fn response_cut(&mut self, response_id: &str) {
        self.batches.iter_mut().filter(|b| b.response_id == response_id).for_each(|b| b.cut = true);
    }

    /// Calls whose time is up.
    pub(crate) fn expire(&mut self, now: Duration) -> Vec<String> {
        let calls = self.batches.iter_mut().flat_map(|batch| &mut batch.calls);
        let late = calls.filter(|call| call.output.is_none() && call.deadline <= now);
        late.map(|call| {
            call.output = Some(ToolOutput::failed("the function did not answer in time"));
            call.call_id.clone()
        })
        .collect()
    }

    pub(crate) fn deadline(&self) -> Option<Duration> {
        let calls = self.batches.iter().flat_map(|batch| &batch.calls);
        calls.filter(|call| call.output.is_none()).map(|call| call.deadline).min()
    }

    /// The next output to send, in the order of the calls.
    pub(crate) fn next_output(&mut self) -> Option<Answered> {
        for batch in &mut self.batches {
            let Some(call) = batch.calls.iter_mut().find(|call| !call.sent) else { continue };
            let Some(output) = &call.output else { continue };
            call.sent = true;
            batch.reply |= output.reply;
            return Some(Answered {
                call_id: call.call_id.clone(),
                output: output.text.clone(),
                reminder: call.forgotten.then(|| (call.name.clone(), call.arguments.clone())),
            });
        }
        None
    }

    /// Takes away what is settled; whether the model should now react.
    pub(crate) fn settle(&mut self) -> bool {
        let mut reply = false;
        self.batches.retain(|batch| {
            let settled = batch.complete && batch.calls.iter().all(|call| call.sent);
            reply |= settled && batch.reply && !batch.cut;
            !settled
        });
        reply
    }

    /// Whether a function runs.
    pub(crate) fn running(&self) -> bool {
        self.batches.iter().flat_map(|batch| &batch.calls).any(|call| call.output.is_none())
    }

    /// The connection is gone. Functions run on, and the model of the next connection is told what it asked for together with
    /// what came of it. What was answered before is in the history.
    pub(crate) fn disconnect(&mut self) {
        for batch in &mut self.batches {
            batch.complete = true;
            batch.calls.iter_mut().filter(|call| !call.sent).for_each(|call| call.forgotten = true);
        }
    }

    /// The session is over: what still comes out of them has no place to go.
    pub(crate) fn clear(&mut self) {
        self.batches.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LATE: Duration = Duration::from_secs(60);

    fn call(call_id: &str, output_index: u32) -> Call {
        Call::new(call_id, output_index, "f", "{}", LATE)
    }

    fn sent(calls: &mut Calls) -> Vec<String> {
        std::iter::from_fn(|| calls.next_output()).map(|answered| answered.call_id).collect()
    }

    #[test]
    fn outputs_go_back_in_the_order_of_the_calls_and_one_reaction_follows() {
        let mut calls = Calls::default();
        assert_eq!(calls.begin("r", call("b", 1)), Begun::Now);
        assert_eq!(calls.begin("r", call("a", 0)), Begun::Now);
        assert_eq!(calls.begin("r", call("a", 0)), Begun::Before);
        assert!(calls.answer("b", ToolOutput::new("2")));
        assert!(sent(&mut calls).is_empty());
        assert!(calls.answer("a", ToolOutput::new("1")) && !calls.answer("a", ToolOutput::new("again")));
        assert_eq!(sent(&mut calls), ["a", "b"]);
        assert!(!calls.settle(), "the answer is not over");
        calls.response_done("r");
        assert!(calls.settle() && !calls.settle());
    }

    #[test]
    fn a_cut_answer_gets_its_outputs_and_no_reaction() {
        let mut calls = Calls::default();
        calls.begin("r", call("a", 0));
        calls.response_cut("r");
        calls.response_done("r");
        calls.answer("a", ToolOutput::new("1"));
        assert_eq!(sent(&mut calls), ["a"]);
        assert!(!calls.settle());
    }

    #[test]
    fn a_function_that_hangs_is_answered_for() {
        let mut calls = Calls::default();
        calls.begin("r", call("a", 0));
        assert_eq!(calls.deadline(), Some(LATE));
        assert!(calls.expire(LATE - Duration::from_millis(1)).is_empty());
        assert_eq!(calls.expire(LATE), ["a"]);
        assert!(!calls.running() && !calls.answer("a", ToolOutput::new("late")));
        assert!(calls.next_output().is_some_and(|answered| answered.output.contains("in time")));
    }
}
