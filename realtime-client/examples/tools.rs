//! A function that the model may call, and one that asks the network; against the scripted server, without a key.
//!
//! `cargo run -p realtime-client --features scripted --example tools`

use std::time::Duration;

use realtime_client::scripted::{Scenario, ScriptedServer};
use realtime_client::session::{Event, State, ToolOutput};
use realtime_client::{Config, RealtimeClient, Result, Tools};
use serde_json::json;

fn main() -> Result<()> {
    let mut scenario = Scenario::default();
    scenario.calls_functions = true;
    let server = ScriptedServer::start(scenario)?;

    let mut tools = Tools::new();
    let nothing = json!({"type": "object", "properties": {}});
    tools.add("clock", "Tells the time of day.", nothing.clone(), |_| ToolOutput::new("half past nine"))?;
    tools.add_async("weather", "Tells the weather.", nothing, |_| async { ToolOutput::new("light rain") })?;

    let talk = RealtimeClient::builder().tools(tools).start(Config::new(server.provider(), None))?;
    talk.say("What is it like outside?")?;
    loop {
        match talk.wait(Duration::from_secs(10))? {
            Some(Event::ToolCall { name, arguments, .. }) => println!("calls {name} with {arguments}"),
            Some(Event::Said { text, .. }) => {
                println!("says: {text}");
                return Ok(());
            }
            Some(Event::State(State::Closed(Some(why)))) => return Err(why),
            Some(_) => {}
            None => return Ok(()),
        }
    }
}
