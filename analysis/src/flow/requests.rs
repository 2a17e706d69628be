//! What is taken out of a request.

use crate::model::TypeRole;
use crate::types::{Ty, TyCon};

use super::channels::READY;
use super::roles::{Applied, is_given, is_server};
use super::run::Run;
use super::value::Val;

impl Run<'_> {
    /// Some value out of a request: the request's, or the server's where its type says so. Whose that is what a
    /// type of the program's own holds, the one knows who put it there.
    pub(super) fn request_value(&mut self, call: &Applied<'_>, subject: &Val) -> Val {
        let is_future = call.model.returns_future(&self.program.models);
        let ty = self.dest(call.at).map_or(&Ty::Unknown, |dest| self.type_of(dest));
        let ty = self.program.peel(if let Ty::Future(given) = ty { given } else { ty });
        let held = self.program.inside(ty);
        let held = self.program.peel(&held);
        if matches!(held, Ty::Adt(TyCon::Def(_), _)) || (is_future && held.is_unknown()) {
            return Val::Unknown;
        }
        let id = self.fresh(call.at);
        let site = self.site(call.name);
        if is_given(subject) {
            self.of_requests.insert(id);
        }
        let is_servers = is_server(subject) || self.program.role(held) == Some(TypeRole::ServerOwned);
        let value = if is_servers { Val::Server(id, site) } else { Val::Request(id, site) };
        if is_future { Val::success(READY, value) } else { value }
    }
}
