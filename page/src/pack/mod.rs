//! The data of the page: one JSON text, compressed, in columns where there are many rows. Times are differences,
//! recurring names and lists are indices into a dictionary, and -1 means absent.

mod columns;
mod series;

use crate::{
    colours::Colour,
    model::{
        Claim, Eviction, Failure, Finding, Incident, LeftOut, Loan, Node, People, Quota, QuotaEdit, Refusal, Report,
        Resource, Rule, Run, Shape, Totals, Verdict, WaitSteps, WaitTime,
    },
};
use base64::{Engine, engine::general_purpose::STANDARD};
use columns::{Dictionary, Jobs, Lists, Placements, Pods, Waits};
use flate2::{Compression, GzBuilder, write::GzEncoder};
use serde::Serialize;
use series::{ClusterOut, LoadOut, QuotaSeriesOut};
use std::io::{BufWriter, Write};

#[derive(Serialize)]
struct QuotaOut<'a> {
    #[serde(flatten)]
    quota: &'a Quota,
    team: u32,
    shade: u32,
    depth: u32,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Data<'a> {
    schema: u32,
    main: u32,
    run: &'a Run,
    totals: &'a Totals,
    resources: &'a [Resource],
    quotas: Vec<QuotaOut<'a>>,
    series: Vec<QuotaSeriesOut>,
    edits: &'a [QuotaEdit],
    loans: &'a [Loan],
    cluster: ClusterOut,
    nodes: &'a [Node],
    loads: Vec<LoadOut>,
    incidents: &'a [Incident],
    shapes: &'a [Shape],
    jobs: Jobs<'a>,
    pods: Pods<'a>,
    placements: Placements,
    waits: Waits,
    words: Vec<&'a str>,
    amounts: Lists<crate::model::Amount>,
    device_sets: Lists<u32>,
    verdicts: &'a [Verdict],
    wait_steps: &'a [WaitSteps],
    wait_times: &'a [WaitTime],
    evictions: &'a [Eviction],
    claims: &'a [Claim],
    refusals: &'a [Refusal],
    failures: &'a [Failure],
    people: &'a People,
    findings: &'a [Finding],
    rules: &'a [Rule],
    left_out: &'a [LeftOut],
}

/// The compression level of gzip.
const LEVEL: u32 = 6;

/// The data of a report as gzip in base64.
///
/// # Errors
///
/// If the data cannot be written as JSON, which no report causes.
pub(crate) fn pack(report: &Report, colours: &[Colour], main: u32) -> std::io::Result<String> {
    let mut words = Dictionary::default();
    let mut amounts = Lists::default();
    let mut device_sets = Lists::default();
    let quotas = report.quotas.iter().zip(colours);
    let data = Data {
        schema: crate::model::SCHEMA,
        main,
        run: &report.run,
        totals: &report.totals,
        resources: &report.resources,
        quotas: quotas.map(|(quota, c)| QuotaOut { quota, team: c.team, shade: c.shade, depth: c.depth }).collect(),
        series: report.quota_series.iter().map(QuotaSeriesOut::of).collect(),
        edits: &report.quota_edits,
        loans: &report.loans,
        cluster: ClusterOut::of(&report.cluster),
        nodes: &report.nodes,
        loads: report.loads.iter().map(LoadOut::of).collect(),
        incidents: &report.incidents,
        shapes: &report.shapes,
        jobs: Jobs::of(report, &mut words, &mut amounts),
        pods: Pods::of(report, &mut words),
        placements: Placements::of(report, &mut words, &mut amounts, &mut device_sets),
        waits: Waits::of(report, &mut words),
        words: words.names,
        amounts,
        device_sets,
        verdicts: &report.verdicts,
        wait_steps: &report.wait_steps,
        wait_times: &report.wait_times,
        evictions: &report.evictions,
        claims: &report.claims,
        refusals: &report.refusals,
        failures: &report.failures,
        people: &report.people,
        findings: &report.findings,
        rules: &report.rules,
        left_out: &report.left_out,
    };
    let mut gzip = gzip();
    serde_json::to_writer(&mut gzip, &data)?;
    encode(gzip)
}

/// A text as gzip in base64.
pub(crate) fn text(text: &str) -> std::io::Result<String> {
    let mut gzip = gzip();
    gzip.write_all(text.as_bytes())?;
    encode(gzip)
}

type Gzip = GzEncoder<BufWriter<Vec<u8>>>;

/// Compresses without a file name and a time, so that equal reports give equal pages.
fn gzip() -> Gzip {
    GzBuilder::new().mtime(0).write(BufWriter::new(Vec::new()), Compression::new(LEVEL))
}

fn encode(gzip: Gzip) -> std::io::Result<String> {
    let bytes = gzip.finish()?.into_inner().map_err(std::io::IntoInnerError::into_error)?;
    Ok(STANDARD.encode(bytes))
}
