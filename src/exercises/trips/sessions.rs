//! `velo trips sessions`: trips out of a stream of packets, divided by silence.

use super::packet::Heard;
use super::rules::ahead;
use super::tally::Namer;
use crate::exercises::stream::processing::Emitted;
use crate::exercises::stream::window::{Session, Silence, Taken, Window};
use crate::exercises::stream::{Desk, KeyValue, Processor, Store, StoreKey, StoreValue};
use crate::failure::{Failure, Outcome};
use crate::kafka::group_consumer::Received;
use crate::ui::Ui;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// How long the newest moment of a device is remembered that is silent, in ms: what comes after it is late, not a session.
const REMEMBERED_MS: i64 = 86_400_000;

/// Most devices that are looked at before what was closed is written.
const SWEEP: usize = 5_000;

/// A device, as the key of its open sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Device(i64);

impl StoreKey for Device {
    fn on_disk(&self) -> Vec<u8> {
        self.in_log()
    }

    fn from_disk(bytes: &[u8]) -> Option<Self> {
        Self::from_log(bytes)
    }

    /// Its number as text.
    fn in_log(&self) -> Vec<u8> {
        self.0.to_string().into_bytes()
    }

    fn from_log(bytes: &[u8]) -> Option<Self> {
        std::str::from_utf8(bytes).ok()?.parse().ok().map(Device)
    }
}

impl StoreValue for Window {
    /// JSON: `{"open":[{"start":1,"end":2,"count":3}],"newest":2,"heard":5}`.
    fn to_bytes(&self) -> Vec<u8> {
        // Numbers cannot fail to be JSON.
        serde_json::to_vec(self).unwrap_or_default()
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok()
    }
}

/// What was counted since the start, of what is committed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Counted {
    /// Sessions.
    pub emitted: u64,
    /// Packets that came later than the grace.
    pub late: u64,
    /// Records that are no packets.
    pub undecodable: u64,
    /// Packets of devices whose clock is ahead by more than an hour.
    pub from_the_future: u64,
}

/// A session as it is emitted.
#[derive(Serialize)]
struct Told {
    device: i64,
    start: i64,
    end: i64,
    packets: u64,
}

/// Divides streams into sessions.
pub struct Sessions {
    ui: Ui,
    silence: Silence,
    /// With what is not committed yet.
    running: Counted,
    committed: Counted,
    namer: Namer,
    /// Of each partition, its devices by when they were heard last.
    heard: BTreeMap<i32, ByTime>,
}

/// Devices by when they were heard last.
#[derive(Debug, Default)]
struct ByTime {
    /// Those with open sessions.
    open: BTreeSet<(i64, Device)>,
    /// Those of which only the newest moment is remembered.
    silent: BTreeSet<(i64, Device)>,
}

impl ByTime {
    fn insert(&mut self, device: Device, window: &Window) {
        let place = (window.heard(), device);
        match window.is_empty() {
            true => self.silent.insert(place),
            false => self.open.insert(place),
        };
    }

    fn remove(&mut self, device: Device, window: &Window) {
        let place = (window.heard(), device);
        self.open.remove(&place);
        self.silent.remove(&place);
    }
}

/// The first of those that were heard before `before`, and their devices.
fn silent_since(times: &BTreeSet<(i64, Device)>, before: i64) -> Vec<Device> {
    let old = times.iter().take_while(|(heard, _)| *heard < before);
    old.take(SWEEP).map(|(_, device)| *device).collect()
}

impl Sessions {
    /// One that divides by that silence.
    pub fn new(silence: Silence, ui: Ui) -> Self {
        Sessions {
            ui,
            silence,
            running: Counted::default(),
            committed: Counted::default(),
            namer: Namer::default(),
            heard: BTreeMap::new(),
        }
    }

    /// What was counted of what is committed.
    pub fn counted(&self) -> Counted {
        self.committed
    }

    /// A packet of a stream; none for any other record.
    fn read(&mut self, record: &Received, now_ms: i64) -> Option<Heard> {
        let named = |namer: &mut Namer, kind, ui, why: &str| {
            namer.name(kind, ui, || {
                format!("partition {} offset {} is {why}", record.partition, record.offset)
            });
        };
        let heard = match Heard::read(record.value.as_deref()) {
            Ok(heard) => heard,
            Err(why) => {
                self.running.undecodable += 1;
                named(
                    &mut self.namer,
                    "undecodable",
                    self.ui,
                    &format!("no packet ({why})"),
                );
                return None;
            }
        };
        if heard.trip.is_some() {
            return None;
        }
        if let Some(ahead) = ahead(heard.ts, now_ms) {
            self.running.from_the_future += 1;
            let ahead = crate::ui::units::duration(ahead);
            let why = format!("of a device whose clock is {ahead} ahead");
            named(&mut self.namer, "future", self.ui, &why);
            return None;
        }
        Some(heard)
    }

    fn emit(&mut self, device: Device, closed: Vec<Session>, out: &mut Vec<Emitted>) -> Outcome {
        for Session { start, end, count } in closed {
            self.running.emitted += 1;
            let told = Told {
                device: device.0,
                start,
                end,
                packets: count,
            };
            let value = serde_json::to_vec(&told)
                .map_err(|error| Failure::request("cannot write a session as JSON").because(error))?;
            out.push(Emitted {
                key: device.in_log(),
                value,
            });
        }
        Ok(())
    }
}

impl Processor for Sessions {
    type Key = Device;
    type Value = Window;

    fn process(&mut self, record: &Received, desk: Desk<'_, Device, Window>) -> Outcome {
        let Some(packet) = self.read(record, desk.now_ms) else {
            return Ok(());
        };
        let device = Device(packet.device);
        // When it was sent, by a clock that can be trusted more than the device's; after a pause of ours that is not now.
        let sent = record.timestamp.unwrap_or(desk.now_ms).min(desk.now_ms);
        let by_time = self.heard.entry(record.partition).or_default();
        let (window, taken) = match desk.store.get(&device)?.cloned() {
            None => (Window::new(packet.ts, sent), Taken::Closed(Vec::new())),
            Some(mut window) => {
                by_time.remove(device, &window);
                let taken = window.take(packet.ts, sent, self.silence);
                (window, taken)
            }
        };
        by_time.insert(device, &window);
        desk.store.put(device, window);
        match taken {
            Taken::Late => self.running.late += 1,
            Taken::Closed(closed) => self.emit(device, closed, desk.out)?,
        }
        Ok(())
    }

    /// Soon after a silence is long enough.
    fn every_ms(&self) -> i64 {
        let silence = self.silence.gap_ms.saturating_add(self.silence.grace_ms);
        (silence / 10).clamp(100, 5_000)
    }

    fn punctuate(
        &mut self,
        partition: i32,
        caught_up: bool,
        desk: Desk<'_, Device, Window>,
    ) -> Outcome<bool> {
        // What was sent while this program was away may go on with a session that looks silent.
        if !caught_up {
            return Ok(false);
        }
        let Some(by_time) = self.heard.get_mut(&partition) else {
            return Ok(false);
        };
        let silent_ms = self.silence.gap_ms.saturating_add(self.silence.grace_ms);
        let open = silent_since(&by_time.open, desk.now_ms.saturating_sub(silent_ms));
        let forgotten = desk
            .now_ms
            .saturating_sub(silent_ms.saturating_add(REMEMBERED_MS));
        let old = silent_since(&by_time.silent, forgotten);
        let mut closed = Vec::new();
        for device in &open {
            let Some(mut window) = desk.store.get(device)?.cloned() else {
                continue;
            };
            by_time.remove(*device, &window);
            closed.push((*device, window.close(desk.now_ms, self.silence)));
            by_time.insert(*device, &window);
            desk.store.put(*device, window);
        }
        for device in &old {
            if let Some(window) = desk.store.get(device)? {
                by_time.remove(*device, window);
                desk.store.delete(device);
            }
        }
        for (device, sessions) in closed {
            self.emit(device, sessions, desk.out)?;
        }
        Ok(open.len() == SWEEP || old.len() == SWEEP)
    }

    fn restored(&mut self, partition: i32, store: &mut Store<Device, Window>) -> Outcome {
        let mut by_time = ByTime::default();
        store.each(&mut |device, window: Window| by_time.insert(device, &window))?;
        self.heard.insert(partition, by_time);
        Ok(())
    }

    fn committed(&mut self) {
        self.committed = self.running;
    }

    fn forget(&mut self) {
        self.running = self.committed;
        self.heard.clear();
    }
}
