use crate::pass::{Form, Guard, pass};
use crate::tally::Tally;
use crate::{Door, Line, PUBLIC, Rule, Tallies};
use axum::Router;
use axum::handler::Handler;
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodFilter, MethodRouter, any, on};
use std::sync::Arc;

/// Routes of one door or of several, each behind its rule. There is no way from a bare router to this, nor back.
pub struct Routes<S = ()> {
    door: &'static Door,
    router: Router<S>,
    table: Vec<Line>,
    tallies: Vec<Arc<Tally>>,
}

impl<S> std::fmt::Debug for Routes<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Routes").field("table", &self.table).finish()
    }
}

impl<S: Clone + Send + Sync + 'static> Routes<S> {
    /// None yet, for this door.
    #[must_use]
    pub fn new(door: &'static Door) -> Self {
        Self { door, router: Router::new(), table: Vec::new(), tallies: Vec::new() }
    }

    /// A route that is read.
    #[must_use]
    pub fn get<H: Handler<T, S>, T: 'static>(self, path: &'static str, rule: Rule, handler: H) -> Self {
        self.on("GET", path, rule, Form::Whole, on(MethodFilter::GET, handler))
    }

    /// A route that changes something. At a door of pages the form's token is checked before the handler runs.
    #[must_use]
    pub fn post<H: Handler<T, S>, T: 'static>(self, path: &'static str, rule: Rule, handler: H) -> Self {
        self.on("POST", path, rule, Form::Whole, on(MethodFilter::POST, handler))
    }

    /// A form with a file, which the gate does not read: its handler asks [`crate::Visitor::check_csrf`].
    #[must_use]
    pub fn upload<H: Handler<T, S>, T: 'static>(self, path: &'static str, rule: Rule, handler: H) -> Self {
        self.on("POST", path, rule, Form::Handler, on(MethodFilter::POST, handler))
    }

    /// A route that takes away.
    #[must_use]
    pub fn delete<H: Handler<T, S>, T: 'static>(self, path: &'static str, rule: Rule, handler: H) -> Self {
        self.on("DELETE", path, rule, Form::Whole, on(MethodFilter::DELETE, handler))
    }

    /// Every method of this path that no other route names.
    #[must_use]
    pub fn any<H: Handler<T, S>, T: 'static>(self, path: &'static str, rule: Rule, handler: H) -> Self {
        self.on("*", path, rule, Form::Whole, any(handler))
    }

    fn on(mut self, method: &'static str, path: &'static str, rule: Rule, form: Form, route: MethodRouter<S>) -> Self {
        let tally = Arc::<Tally>::default();
        self.tallies.push(Arc::clone(&tally));
        let guard = Guard { door: self.door, path, rule, form, tally, hourly: Arc::default() };
        let layer = from_fn_with_state(guard, pass);
        // What answers every other method is the router's fallback, which `route_layer` leaves alone.
        let route = if method == "*" { route.layer(layer) } else { route.route_layer(layer) };
        self.router = self.router.route(path, route);
        self.table.push(Line { door: self.door.name, method, path, rule });
        self
    }

    /// Gives the handlers what they share.
    #[must_use]
    pub fn with_state(self, state: S) -> Routes {
        Routes { door: self.door, router: self.router.with_state(state), table: self.table, tallies: self.tallies }
    }

    /// These and those.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.router = self.router.merge(other.router);
        self.table.extend(other.table);
        self.tallies.extend(other.tallies);
        self
    }

    /// What stands behind which rule.
    #[must_use]
    pub fn table(&self) -> &[Line] {
        &self.table
    }

    pub(crate) fn behind(self) -> (Router<S>, Vec<Line>, Tallies) {
        let tallies = Tallies::new(self.table.iter().copied().zip(self.tallies).collect());
        (self.router, self.table, tallies)
    }
}

impl Routes {
    /// The hall's assets.
    #[must_use]
    pub fn assets() -> Self {
        let routes = Self::new(&PUBLIC).get("/assets/{name}", Rule::Open, web::assets::serve);
        routes.get("/favicon.svg", Rule::Open, web::assets::favicon).get(
            "/favicon.ico",
            Rule::Open,
            web::assets::favicon,
        )
    }
}
