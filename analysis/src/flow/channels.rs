//! What is sent into the channels of a body, and what is received from them.
//!
//! Who receives may do so before, while and after somebody sends: what comes out of a channel is any of
//! what is sent into it anywhere in the body, in what the body calls and in the work it starts. It is
//! told as long as every sending end stays in view, and found by going through the body until nothing
//! new is sent. A receiving end stands as the end itself with what comes out of it, like a list with
//! its elements.

use std::collections::{BTreeMap, BTreeSet};

use crate::facts::{Name, Span, Step};
use crate::model::{Shape, TypeRole};
use crate::summary::{self, Summary};
use crate::types::Ty;

use super::contents::{self, ITERATOR, OPTION, RESULT};
use super::copying::Copying;
use super::roles::{Applied, objects_in};
use super::run::{At, Run};
use super::value::{Agg, InputPath, ObjId, ObjKind, Uses, Val};
use super::world::{Use, World};

/// How many different things a body is said to send into what it is given.
const MAX_SENDS: usize = 16;

/// The parts of a receiving end: itself, any of what comes out of it, and the ends of other channels
/// that are sent through it. No field of a program is called so.
const END: &str = "(end)";
const ANY: &str = "[]";
const SENDERS: &str = "(senders)";

/// What is sent into a channel.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Sent {
    values: Vec<Val>,
    senders: BTreeSet<ObjId>,
}

/// What is known of a body's channels.
#[derive(Default)]
pub(super) struct Channels {
    /// What this way through the body has sent so far.
    sent: BTreeMap<ObjId, Sent>,
    /// What the last way through the body sent, of channels with all their sending ends in view.
    held: BTreeMap<ObjId, Sent>,
    /// What is sent into what the body is given.
    given: Vec<(InputPath, Val)>,
    /// The sending ends that the body gives back.
    given_back: BTreeSet<ObjId>,
    /// Something was sent into nobody knows which channel.
    lost: bool,
}

impl Channels {
    /// What the body sends into what it is given.
    pub(super) fn into_given(self) -> Vec<(InputPath, Val)> {
        self.given
    }

    /// Notes that the body gives a sending end back.
    pub(super) fn give_back(&mut self, sender: ObjId) {
        self.given_back.insert(ObjId { old: false, ..sender });
    }

    /// Before the body is gone through once more.
    pub(super) fn begin(&mut self) {
        self.given.clear();
        self.sent.clear();
    }
}

impl Run<'_> {
    /// Whether a way through the body told more, or less, of its channels than the one before.
    pub(super) fn learn_of_channels(&mut self) -> bool {
        let is_told = |sent: &Sent| !Val::any_of(&sent.values).is_unknown();
        let is_here = |id: &ObjId| self.is_followed(*id) && !self.channels.given_back.contains(id);
        let held = self.channels.sent.iter().filter(|(id, sent)| is_here(id) && is_told(sent));
        let held = held.map(|(id, sent)| (*id, sent.clone())).collect();
        let is_new = held != self.channels.held;
        self.channels.held = held;
        is_new
    }

    /// Whether all that is sent by a sending end is in view, here or at those it is given back to.
    fn is_followed(&self, sender: ObjId) -> bool {
        let used = [sender, ObjId { old: true, ..sender }].iter().any(|id| self.used.contains_key(id));
        !used && !self.joined && !self.channels.lost
    }

    /// The sending ends that the body gives back and that are nowhere else, with all that was sent by them.
    pub(super) fn ends_given_back(&self) -> BTreeMap<ObjId, Vec<Val>> {
        let ends = self.channels.given_back.iter().filter(|id| self.is_followed(**id));
        let with_sent = ends.filter_map(|id| match self.channels.sent.get(id) {
            // Others answer through what is sent along.
            Some(sent) if !sent.senders.is_empty() => None,
            sent => Some((*id, sent.map(|sent| sent.values.clone()).unwrap_or_default())),
        });
        with_sent.collect()
    }

    /// A sending end comes out of a helper, with what was sent by it; if that is not known, it may be anything.
    pub(super) fn came_back(&mut self, sender: ObjId, sent: Option<Vec<Val>>) {
        match sent {
            Some(sent) => sent.iter().for_each(|value| self.put_in(sender, value)),
            None => {
                self.used.entry(sender).or_default().insert(Use::Real);
            }
        }
    }

    /// An end of a channel, a receiving one with what comes out of it.
    pub(super) fn channel_end(&self, id: ObjId) -> Val {
        let sent = match self.kind(id) {
            Some(ObjKind::Receiver(sender)) => self.channels.held.get(sender),
            _ => None,
        };
        let Some(sent) = sent else { return Val::Obj(id) };
        let senders = Val::Many(sent.senders.iter().map(|id| Val::Obj(*id)).collect());
        let fields = vec![(END.into(), Val::Obj(id)), (ANY.into(), sent.any()), (SENDERS.into(), senders)];
        Val::Agg(Agg { fields, ..Agg::default() })
    }

    /// Nothing is told of what comes out of channels.
    pub(super) fn forget_channels(&mut self) {
        self.channels.held.clear();
    }

    /// Makes a channel, or a further receiving end of one.
    pub(super) fn channel(&mut self, call: &Applied<'_>, subject: &Val) -> Val {
        let Some(Shape::Tuple(_)) = &call.model.returns else {
            return match self.sender_of(subject) {
                Some(sender) => self.receiving_end(call, sender),
                None => subject.clone(),
            };
        };
        let sender = self.object(call, ObjKind::Sender);
        if let Some(first) = call.model.value {
            self.put_in(sender, &call.value(first));
        }
        let receiver = self.receiving_end(call, sender);
        Val::tuple(vec![Val::Obj(sender), receiver])
    }

    fn receiving_end(&mut self, call: &Applied<'_>, sender: ObjId) -> Val {
        let end = self.object(call, ObjKind::Receiver(sender));
        self.channel_end(end)
    }

    /// The sending end of the channel that a value is an end of.
    fn sender_of(&self, value: &Val) -> Option<ObjId> {
        let id = value.as_obj().or_else(|| self.receiver_in(value))?;
        match self.made(id)?.kind {
            ObjKind::Sender => Some(ObjId { old: false, ..id }),
            ObjKind::Receiver(sender) => Some(sender),
            _ => None,
        }
    }

    /// The receiving end that a value is.
    pub(super) fn receiver_in(&self, value: &Val) -> Option<ObjId> {
        let id = match value.behind() {
            Val::Obj(id) => *id,
            Val::Agg(agg) => agg.field(END).as_obj()?,
            _ => return None,
        };
        matches!(self.made(id)?.kind, ObjKind::Receiver(_)).then_some(id)
    }

    /// Whether the way into a value leads through a receiving end.
    pub(super) fn is_received(&self, value: &Val, path: &[Name]) -> bool {
        let steps = path.iter().position(|step| step == ANY).and_then(|at| path.get(..at));
        steps.is_some_and(|steps| self.receiver_in(&value.at(steps)).is_some())
    }

    /// An argument of a call is sent into a channel.
    pub(super) fn send(&mut self, call: &Applied<'_>, subject: &Val, index: usize, value: &Val) {
        if call.model.value.is_some_and(|sent| sent != index) {
            return;
        }
        match subject.behind() {
            Val::Obj(_) => {
                if let Some(sender) = self.sender_of(subject) {
                    self.put_in(sender, value);
                }
            }
            Val::Request(..) | Val::Server(..) => {}
            _ if !self.is_end(call, subject) => {}
            Val::Input(path) => {
                let element = self.element(value);
                self.put_into_given(path.clone(), element);
            }
            _ => self.lose_track(),
        }
    }

    fn put_in(&mut self, sender: ObjId, value: &Val) {
        let element = self.element(value);
        let senders: Vec<ObjId> = objects_in(value).into_iter().filter(|id| self.is_sender(*id)).collect();
        let sent = self.channels.sent.entry(sender).or_default();
        contents::add(&mut sent.values, element);
        sent.senders.extend(senders);
    }

    pub(super) fn is_sender(&self, id: ObjId) -> bool {
        self.made(id).is_some_and(|object| object.kind == ObjKind::Sender)
    }

    fn put_into_given(&mut self, path: InputPath, value: Val) {
        let given = &mut self.channels.given;
        let value = if given.len() < MAX_SENDS { value } else { Val::Unknown };
        if !given.contains(&(path.clone(), value.clone())) {
            given.push((path, value));
        }
    }

    /// Something goes into a channel that is not known: it may be any.
    fn lose_track(&mut self) {
        self.channels.lost = true;
        let inputs = self.body.captures.len() + self.body.params.len();
        for input in 0..inputs as u32 {
            self.put_into_given(InputPath::whole(input), Val::Unknown);
        }
    }

    /// What a callee, or work that is started, sends into what it is given here.
    pub(super) fn sent_by(&mut self, at: At, name: Span, summary: &Summary, inputs: &[Val]) {
        for (path, value) in &summary.sends {
            let Some(target) = path.among(inputs) else { continue };
            let value = Copying::of(self, at, name, inputs, summary).whole().value(value);
            let mut ends = Vec::new();
            target.walk(&mut |end, _, _| match end {
                Val::Obj(id) if self.is_sender(*id) => ends.push(end.clone()),
                Val::Input(_) => ends.push(end.clone()),
                _ => {}
            });
            for end in ends {
                match end {
                    Val::Input(path) => {
                        let element = self.element(&value);
                        self.put_into_given(path, element);
                    }
                    end => {
                        if let Some(sender) = self.sender_of(&end) {
                            self.put_in(sender, &value);
                        }
                    }
                }
            }
        }
    }

    fn is_channel(&self, ty: &Ty) -> bool {
        self.program.role(ty) == Some(TypeRole::Channel)
    }

    /// What comes out of a channel that is given to this body. What comes out of a server's is not
    /// the server's, and what a handler is given is not all the request's.
    fn of_given(&self, path: &InputPath, ty: &Ty) -> Option<Val> {
        let is_handlers = self.handler && path.input as usize >= self.body.captures.len();
        let ty = self.program.peel(ty);
        let is_followed = !is_handlers && self.is_channel(ty) && summary::carries(self.program, ty, 4);
        is_followed.then(|| Val::Input(path.then(ANY.into())))
    }

    /// Any of what comes out of an end of a channel.
    fn any_received(&self, end: &Val, ty: &Ty) -> Option<Val> {
        match end.behind() {
            Val::Agg(_) => Some(end.project(&Step::Index)).filter(|any| !any.is_unknown()),
            Val::Obj(id) => Some(self.channels.held.get(id)?.any()),
            Val::Input(path) => self.of_given(path, ty),
            _ => None,
        }
    }

    fn any_of_subject(&self, call: &Applied<'_>, subject: &Val) -> Option<Val> {
        self.any_received(subject, &*self.subject_type(call)?)
    }

    /// What a call gives that takes something out of a channel, or waits for it: that, or nothing.
    pub(super) fn received(&mut self, call: &Applied<'_>, subject: &Val, world: World) -> Vec<(World, Val)> {
        let (is_future, shape) = match &call.model.returns {
            Some(Shape::Future(given)) => (true, &**given),
            Some(shape) => (false, shape),
            None => return vec![(world, Val::Unknown)],
        };
        let (whole, held) = match shape {
            Shape::Named(path, args) if path == OPTION => (Some(("Some", "None")), args.first()),
            Shape::Named(path, args) if path == RESULT => (Some(("Ok", "Err")), args.first()),
            shape => (None, Some(shape)),
        };
        let any = match held {
            Some(Shape::Inner(None)) => self.any_of_subject(call, subject),
            _ => None,
        };
        let Some(any) = any else { return vec![(world, Val::Unknown)] };
        let given = |value| if is_future { Val::success(READY, value) } else { value };
        match whole {
            Some((some, none)) => {
                vec![(world.clone(), given(Val::success(some, any))), (world, given(Val::variant(none)))]
            }
            None => vec![(world, given(any))],
        }
    }

    /// The pieces of work that a call is given. One may be an end of a channel that the body is given: what
    /// comes out of it is told by its type, and with it from here on.
    pub(super) fn pieces(&self, call: &Applied<'_>) -> Vec<Val> {
        let with_received = |index: usize| {
            let piece = call.value(index);
            let any = match (piece.behind(), call.locals.get(index)) {
                (Val::Input(path), Some(local)) => self.of_given(path, self.type_of(*local)),
                _ => None,
            };
            match any {
                Some(any) => Val::Agg(Agg { fields: vec![(END.into(), piece), (ANY.into(), any)], ..Agg::default() }),
                None => piece,
            }
        };
        call.work_indices().into_iter().map(with_received).collect()
    }

    /// The receiving end that is itself awaited.
    pub(super) fn awaited_end(&mut self, end: &Val, ty: &Ty, mut world: World) -> Result<Vec<(World, Val)>, World> {
        let Some(any) = self.any_received(end, ty) else { return Err(world) };
        if let Val::Agg(agg) = end.behind()
            && let Val::Input(path) = agg.field(END).behind()
        {
            self.use_input(path, Uses::CALL.and(Uses::USED));
        }
        self.look_after(end, &mut world);
        Ok(vec![(world.clone(), Val::success("Ok", any)), (world, Val::variant("Err"))])
    }

    /// What goes over all that comes out of a channel.
    pub(super) fn all_received(&mut self, call: &Applied<'_>, subject: &Val, world: &mut World) -> Option<Val> {
        let Some(Shape::Named(path, _)) = &call.model.returns else { return None };
        if path != ITERATOR {
            return None;
        }
        let end = self.receiver_in(subject);
        end.into_iter().for_each(|end| self.mark(world, end, Use::Real));
        self.any_of_subject(call, subject).map(|any| Val::Many(vec![any]))
    }

    /// What a channel shows of what was sent last.
    pub(super) fn shown(&self, call: &Applied<'_>, subject: &Val) -> Option<Val> {
        let any = if self.is_end(call, subject) { self.any_of_subject(call, subject) } else { None };
        any.map(|any| any.borrowed(None))
    }

    /// Whether a call's subject is an end of a channel.
    pub(super) fn is_end(&self, call: &Applied<'_>, subject: &Val) -> bool {
        self.receiver_in(subject).is_some() || call.receiver.is_some_and(|place| self.is_channel(&self.type_at(place)))
    }
}

/// A future that gives what it holds.
pub(super) const READY: &str = "Ready";

impl Sent {
    fn any(&self) -> Val {
        Val::any_of(&self.values)
    }
}
