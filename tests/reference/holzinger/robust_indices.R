# Robust fit indices of three factors, with and without a covariate, by every scaled estimator.
#
#   CSI_REFERENCE_DIR=../shared Rscript tests/reference/holzinger/robust_indices.R
#
# Writes robust_indices.json beside it.

suppressMessages({ library(lavaan); library(jsonlite) })
file <- file.path(Sys.getenv("CSI_REFERENCE_DIR", "../shared"), "data/holzinger_swineford/holzinger_swineford.csv")
rows <- read.csv(file)
model <- "visual =~ x1 + x2 + x3\ntextual =~ x4 + x5 + x6\nspeed =~ x7 + x8 + x9"
wanted <- c(
  "chisq", "df", "chisq.scaled", "chisq.scaling.factor", "baseline.chisq", "baseline.df", "baseline.chisq.scaled",
  "baseline.chisq.scaling.factor", "cfi", "cfi.scaled", "cfi.robust", "tli.robust", "rmsea.scaled", "rmsea.robust"
)
out <- list(provenance = list(
  software = paste0("lavaan ", packageVersion("lavaan"), ", ", R.version.string),
  command = "CSI_REFERENCE_DIR=../shared Rscript tests/reference/holzinger/robust_indices.R",
  data_sha256 = strsplit(system2("sha256sum", file, stdout = TRUE), " ")[[1]][1], tolerance = 1e-4
), cases = list())
for (estimator in c("MLM", "WLSM", "WLSMV", "ULSM", "ULSMV")) {
  for (more in c("", "\nvisual ~ ageyr\nspeed ~ ageyr")) {
    printed <- fitMeasures(sem(paste0(model, more), rows, estimator = estimator, meanstructure = FALSE))
    out$cases <- c(out$cases, list(list(estimator = estimator, model = paste0(model, more), fit = as.list(printed[wanted]))))
  }
}
write(toJSON(out, digits = NA, auto_unbox = TRUE, pretty = TRUE), "tests/reference/holzinger/robust_indices.json")
