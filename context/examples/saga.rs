//! An order in three steps: when one fails, those before it are undone, also when the customer has
//! long gone.
//!
//! `cargo run -p ctxlint-context --features tokio --example saga`

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use context::saga::{Saga, SagaError};
use context::{Context, ContextError};

/// Does what it is told, slowly, and keeps a journal.
#[derive(Clone, Default)]
struct Shop(Arc<Mutex<Vec<String>>>);

impl Shop {
    /// Stops early, with an error, when `ctx` ends.
    async fn work(&self, ctx: &Context, what: &str) -> Result<(), ContextError> {
        ctx.sleep(Duration::from_millis(20)).await?;
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(what.to_owned());
        Ok(())
    }

    async fn reserve(&self, ctx: &Context) -> Result<u32, ContextError> {
        self.work(ctx, "reserved").await?;
        Ok(7)
    }

    fn journal(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Each step looks at the caller's context. Each compensation is given one that is detached from
/// it, with a time limit of its own: it is needed most when the caller's has ended.
async fn order(ctx: &Context, shop: &Shop) -> Result<(), SagaError<ContextError>> {
    let (reserve, release, charge, refund, ship) =
        (shop.clone(), shop.clone(), shop.clone(), shop.clone(), shop.clone());
    Saga::new()
        .compensation_limit(Duration::from_secs(5))
        .step(
            "reserve",
            |ctx| async move { reserve.reserve(&ctx).await },
            // What the step has returned is what its compensation is given.
            |ctx, id| async move { release.work(&ctx, &format!("released {id}")).await },
        )
        .step(
            "charge",
            |ctx| async move { charge.work(&ctx, "charged").await },
            |ctx, ()| async move { refund.work(&ctx, "refunded").await },
        )
        .step("ship", |ctx| async move { ship.work(&ctx, "shipped").await }, |_, ()| async { Ok(()) })
        .run(ctx)
        .await
}

#[tokio::main(flavor = "current_thread")]
pub(crate) async fn main() {
    let shop = Shop::default();
    assert_eq!(order(&Context::background(), &shop).await, Ok(()));
    assert_eq!(shop.journal(), ["reserved", "charged", "shipped"]);

    // The second customer leaves when the card is charged.
    let shop = Shop::default();
    let (ctx, leave) = Context::background().with_cancel();
    let customer = async {
        while shop.journal().len() < 2 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        leave.cancel();
    };
    let (outcome, ()) = tokio::join!(order(&ctx, &shop), customer);
    assert_eq!(shop.journal(), ["reserved", "charged", "refunded", "released 7"]);
    if let Err(error) = outcome {
        assert!(error.is_undone());
        write(&format!("{error}; undone: {}", error.compensated.join(", ")));
    }
}

#[expect(clippy::print_stdout, reason = "an example talks to its user")]
fn write(line: &str) {
    println!("{line}");
}
