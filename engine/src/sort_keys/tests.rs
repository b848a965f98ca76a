use std::sync::Arc;

use arrow::array::AsArray;
use arrow::datatypes::Int64Type;
use datafusion::execution::memory_pool::{MemoryPool, UnboundedMemoryPool};
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties, collect, displayable};
use datafusion::prelude::{SessionConfig, SessionContext};

use super::KeysAsColumns;
use crate::fair::FairPool;

const ROWS: &str = "(SELECT value AS a, value % 7 AS b, CAST(value AS VARCHAR) AS s FROM generate_series(1, 300000)) AS t";

struct Sorted {
    context: SessionContext,
    before: Arc<dyn ExecutionPlan>,
    after: Arc<dyn ExecutionPlan>,
}

async fn sorted(sql: &str, memory: usize) -> Sorted {
    let pool: Arc<dyn MemoryPool> = match memory {
        0 => Arc::new(UnboundedMemoryPool::default()),
        memory => Arc::new(FairPool::new(memory)),
    };
    let env = RuntimeEnvBuilder::new().with_memory_pool(pool.clone()).build_arc().unwrap();
    let mut config = SessionConfig::new().with_target_partitions(2);
    config.options_mut().execution.sort_spill_reservation_bytes = memory / 16;
    let context = SessionContext::new_with_config_rt(config, env);
    let before = context.sql(sql).await.unwrap().create_physical_plan().await.unwrap();
    let rule = KeysAsColumns(pool);
    let after = rule.optimize(before.clone(), context.state().config_options()).unwrap();
    Sorted { context, before, after }
}

impl Sorted {
    fn text(&self) -> String {
        displayable(self.after.as_ref()).indent(false).to_string()
    }

    async fn first_column(&self) -> Vec<i64> {
        let batches = collect(self.after.clone(), self.context.task_ctx()).await.unwrap();
        let columns = batches.iter().map(|batch| batch.column(0).as_primitive::<Int64Type>());
        columns.flat_map(|column| column.values().to_vec()).collect()
    }
}

#[tokio::test]
async fn several_keys_are_one_column_whose_order_is_known_above() {
    let sql = format!("SELECT a, b FROM {ROWS} ORDER BY b DESC, a");
    let sorted = sorted(&sql, 4 << 20).await;
    let text = sorted.text();
    let nodes: Vec<_> = text.lines().map(|line| line.trim().split(':').next().unwrap()).collect();
    let wanted = ["WithoutSortKey", "SortPreservingMergeExec", "SortExec", "ProjectionExec"];
    assert_eq!(nodes[..4], wanted, "{text}");
    assert_eq!(sorted.after.schema(), sorted.before.schema());
    assert_eq!(sorted.after.output_ordering(), sorted.before.output_ordering());
    let mut values: Vec<i64> = (1..=300_000).collect();
    values.sort_by_key(|value| (-(value % 7), *value));
    assert_eq!(sorted.first_column().await, values);
}

#[tokio::test]
async fn a_computed_key_is_a_column_of_its_own_type() {
    let sql = format!("SELECT a FROM {ROWS} ORDER BY reverse(s) DESC");
    let sorted = sorted(&sql, 4 << 20).await;
    let text = sorted.text();
    assert!(text.contains("reverse(") && text.contains(" as sort key]"), "{text}");
    let mut values: Vec<i64> = (1..=300_000).collect();
    let key = |value: &i64| value.to_string().chars().rev().collect::<String>();
    values.sort_by_cached_key(|value| std::cmp::Reverse(key(value)));
    assert_eq!(sorted.first_column().await, values);
}

#[tokio::test]
async fn sorts_that_spill_as_they_are_stay() {
    for order in ["a", "s DESC", "b, a LIMIT 10"] {
        let sorted = sorted(&format!("SELECT * FROM {ROWS} ORDER BY {order}"), 64 << 20).await;
        assert!(!sorted.text().contains("WithoutSortKey"), "{order}: {}", sorted.text());
    }
    let unbounded = sorted(&format!("SELECT * FROM {ROWS} ORDER BY b, a"), 0).await;
    assert_eq!(unbounded.text(), displayable(unbounded.before.as_ref()).indent(false).to_string());
}

#[tokio::test]
async fn more_first_rows_than_memory_holds_are_sorted_with_all_others() {
    let sql = format!("SELECT a, b, s FROM {ROWS} ORDER BY -a LIMIT 200000");
    let sorted = sorted(&sql, 8 << 20).await;
    assert!(!sorted.text().contains("TopK"), "{}", sorted.text());
    assert_eq!(sorted.first_column().await, (100_001..=300_000).rev().collect::<Vec<_>>());
}
