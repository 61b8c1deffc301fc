# Moments of ordinal and mixed items given exogenous variables as lavaan's conditional.x = TRUE has them, and what its
# conditional.x = FALSE does with a covariate in large units.
#
#   CSI_REFERENCE_DIR=../shared Rscript tests/reference/ordinal/conditional.R
#
# Writes tests/reference/ordinal/conditional.json. The rows stay where they are.

suppressMessages({ library(lavaan); library(jsonlite); library(tools) })
file <- file.path(Sys.getenv("CSI_REFERENCE_DIR", "../shared"), "data", "bfi", "bfi.csv")
bfi <- read.csv(file)
bfi$z <- (bfi$age - 30) / 50
five <- paste0("A", 1:5)
moments <- function(model, ...) {
  f <- sem(model, bfi, ...)
  s <- lavInspect(f, "wls.obs"); G <- lavInspect(f, "gamma")
  list(model = model, names = names(s), vector = as.vector(unclass(s)), gamma = G[lower.tri(G, diag = TRUE)], n = lavInspect(f, "nobs"))
}
mimic <- "A =~ A1 + A2 + A3 + A4 + A5\nA ~ age + gender"
mixed <- "A =~ A1 + A2 + A3\nC =~ C1 + C2 + C3\nA + C ~ z + gender"
joint <- function(x) {
  model <- paste0("A =~ A1 + A2 + A3 + A4 + A5\nA ~ ", x)
  f <- suppressWarnings(sem(model, bfi, ordered = five, conditional.x = FALSE))
  list(model = model, chisq = fitMeasures(f, "chisq")[[1]], chisq_scaled = fitMeasures(f, "chisq.scaled")[[1]],
       cor = as.vector(cov2cor(unclass(lavInspect(f, "sampstat")$cov))[five, x]))
}
scores <- head(as.vector(lavPredict(sem(mimic, bfi, ordered = five))), 20)
out <- list(
  source = "tests/reference/ordinal/conditional.R",
  software = paste0("lavaan ", packageVersion("lavaan"), " (R ", getRversion(), ")"),
  command = "CSI_REFERENCE_DIR=../shared Rscript tests/reference/ordinal/conditional.R",
  data = "data/bfi/bfi.csv", data_sha256 = strsplit(system2("sha256sum", file, stdout = TRUE), " ")[[1]][1],
  tolerance = "vector 1e-6, gamma 1e-5 of the product of standard deviations, scores 1e-5: lavaan's searches stop there",
  ordinal = moments(mimic, ordered = five), pairwise = moments(mimic, ordered = five, missing = "pairwise"),
  mixed = moments(mixed, ordered = five[1:3]), joint_raw = joint("age"), joint_z = joint("z"), scores = scores
)
writeLines(toJSON(out, digits = NA, auto_unbox = TRUE), "tests/reference/ordinal/conditional.json")
