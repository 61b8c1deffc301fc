# Eigenvalues of U Gamma (as the sample's and unbiased), statistics, and tails of weighted chi-squares by Davies' method.
#
#   CSI_REFERENCE_DIR=../shared Rscript tests/reference/eigenvalues/eigenvalues.R
#
# Writes expected.json beside it. `published` are numbers printed by semTests for the same data, copied by hand.

suppressMessages({ library(lavaan); library(jsonlite) })
hash <- function(file) strsplit(system2("sha256sum", file, stdout = TRUE), " ")[[1]][1]
shared <- Sys.getenv("CSI_REFERENCE_DIR", "../shared")
files <- file.path(shared, "data", c("holzinger_swineford/holzinger_swineford.csv", "bfi/bfi.csv"))
models <- list(
  holzinger = list("visual =~ x1 + x2 + x3\ntextual =~ x4 + x5 + x6\nspeed =~ x7 + x8 + x9", read.csv(files[1])),
  bfi = list("A =~ A1 + A2 + A3 + A4 + A5\nC =~ C1 + C2 + C3 + C4 + C5", read.csv(files[2])[1:200, 1:10])
)
halved <- function(v, blocks) {
  size <- ceiling(length(v) / blocks)
  (ave(v, (seq_along(v) - 1) %/% size) + mean(v)) / 2
}
out <- list(
  provenance = list(
    software = paste0("lavaan ", packageVersion("lavaan"), ", mgcv ", packageVersion("mgcv"), " (psum.chisq), ", R.version.string),
    command = "CSI_REFERENCE_DIR=../shared Rscript tests/reference/eigenvalues/eigenvalues.R",
    data_sha256 = as.list(setNames(sapply(files, hash), basename(files))),
    tolerance = list(eigenvalues_relative = 1e-5, statistics = 1e-4, davies = 1e-8, published_relative = 2e-5),
    why = "lavaan stops a few 1e-6 of an estimate from the minimum, and so do eigenvalues and p-values printed from it",
    published = "semTests: vignette 'Complete continuous-data models' of 1.0.0 (holzinger); README of 0.4 (bfi, first 200 rows)"
  ),
  published = list(
    holzinger = list(sb_ml = 4.416190e-08, all_ml = 2.141358e-06, peba4_ml = 1.529609e-07, peba4_rls = 5.165712e-07),
    bfi = list(
      peba2_ml = 0.04182486, peba4_ml = 0.04370615, pols2_ml = 0.04397064,
      peba2_rls = 0.04235143, peba4_rls = 0.04424139, pols2_rls = 0.04450873
    )
  ),
  cases = list()
)
x <- c(20, 30, 40, 50, 60)
for (name in names(models)) {
  one <- list(model = models[[name]][[1]], x = x)
  for (kind in c("biased", "unbiased")) {
    fit <- cfa(one$model, models[[name]][[2]],
      estimator = "MLM", gamma.unbiased = kind == "unbiased", meanstructure = FALSE
    )
    df <- unname(fitMeasures(fit, "df"))
    v <- sort(Re(eigen(lavInspect(fit, "UGamma"), only.values = TRUE)$values), decreasing = TRUE)[1:df]
    tail <- function(w) sapply(x, function(q) mgcv::psum.chisq(q, w, tol = 1e-10, nlim = 1e6))
    one[[kind]] <- list(eigenvalues = v, all = tail(v), peba4 = tail(halved(v, 4)))
  }
  one$chi2 <- unname(fitMeasures(fit, "chisq"))
  one$rls <- lavTest(fit, "browne.residual.nt.model")$stat
  out$cases[[name]] <- one
}
write(toJSON(out, digits = NA, auto_unbox = TRUE, pretty = TRUE), "tests/reference/eigenvalues/expected.json")
