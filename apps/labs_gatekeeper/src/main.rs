//! `gatekeeper [CHECK…]`: runs the checks of `gate.toml`, or of `.ci/gate.toml`.
//!
//! Exit codes: 0 all is green, 1 something is red, 2 wrong usage or a plan that makes no sense, 74 a report can't be written, 130 stopped
//! by Ctrl-C or TERM before anything was red.
#![expect(clippy::print_stdout, reason = "it is a program for people")]

use std::path::PathBuf;
use std::process::ExitCode;
use std::thread;

use clap::Parser;
use labs_gatekeeper::{Event, Plan, Settings, Stop, json, junit, run, text};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

/// Runs a project's checks side by side, and says honestly what came of them.
#[derive(Parser)]
#[command(name = "gatekeeper", version)]
struct Arguments {
    /// Only these checks, and what they need
    checks: Vec<String>,
    /// The plan; `gate.toml` or `.ci/gate.toml` if not said
    #[arg(long)]
    plan: Option<PathBuf>,
    /// Checks that run at the same time
    #[arg(long, default_value_t = 2)]
    jobs: usize,
    /// After a red check, the others go on
    #[arg(long)]
    keep_going: bool,
    /// Write the report as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Write the report as XML for CI systems
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Show the plan, and run nothing
    #[arg(long)]
    list: bool,
}

const USAGE: u8 = 2;
const IO_ERROR: u8 = 74;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let plan = match plan(&arguments) {
        Ok(plan) => plan,
        Err(error) => {
            eprintln!("gatekeeper: {error}");
            return ExitCode::from(USAGE);
        }
    };
    if arguments.list {
        for check in plan.checks() {
            println!("{:<14}{}", check.name, check.run.join(" "));
        }
        return ExitCode::SUCCESS;
    }
    let stop = Stop::default();
    // The checks are in process groups of their own: Ctrl-C does not reach them, we must.
    match Signals::new([SIGINT, SIGTERM]) {
        Ok(mut signals) => {
            let stop = stop.clone();
            thread::spawn(move || {
                for _ in signals.forever() {
                    eprintln!("gatekeeper: stopping");
                    stop.ask();
                }
            });
        }
        Err(error) => eprintln!("gatekeeper: Ctrl-C will leave the checks running: {error}"),
    }
    let settings = Settings { jobs: arguments.jobs, keep_going: arguments.keep_going, ..Settings::default() };
    let report = run(&plan, &settings, &stop, |event| match event {
        Event::Started(check) => println!("..  {}: {}", check.name, check.run.join(" ")),
        Event::Ended(result) => print!("{}", text(result)),
    });
    let green = report.results().iter().filter(|result| result.verdict.is_green()).count();
    println!("{green} of {} checks are green", report.results().len());
    let reports = [(&arguments.json, json as fn(&_) -> String), (&arguments.junit, junit)];
    for (file, format) in reports {
        let Some(file) = file else { continue };
        if let Err(error) = std::fs::write(file, format(&report)) {
            eprintln!("gatekeeper: {} can't be written: {error}", file.display());
            return ExitCode::from(IO_ERROR.max(report.code()));
        }
    }
    ExitCode::from(report.code())
}

fn plan(arguments: &Arguments) -> Result<Plan, String> {
    let usual = || ["gate.toml", ".ci/gate.toml"].map(PathBuf::from).into_iter().find(|plan| plan.exists());
    let path =
        arguments.plan.clone().or_else(usual).ok_or("here is no gate.toml: name the plan with --plan")?;
    let file = path.display();
    let text = std::fs::read_to_string(&path).map_err(|error| format!("{file} can't be read: {error}"))?;
    let plan = Plan::read(&text).map_err(|error| format!("{file}: {error}"))?;
    if arguments.checks.is_empty() {
        return Ok(plan);
    }
    plan.only(&arguments.checks).map_err(|name| {
        let known: Vec<&str> = plan.checks().iter().map(|check| check.name.as_str()).collect();
        format!("{file} has no check {name}: it has {}", known.join(", "))
    })
}
