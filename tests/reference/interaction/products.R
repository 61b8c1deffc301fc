# Latent interactions by products of indicators: columns by semTools::indProd, models by lavaan.
# CSI_REFERENCE_DIR=... Rscript products.R > products.json
suppressMessages({library(lavaan); library(semTools); library(jsonlite)})
d <- read.csv(file.path(Sys.getenv("CSI_REFERENCE_DIR"), "data/holzinger_swineford/holzinger_swineford.csv"))
cases <- list(matched = c(TRUE, "dmc"), all = c(FALSE, "dmc"), orthogonal_all = c(FALSE, "res"))
out <- list()
for (name in names(cases)) {
  match <- cases[[name]][1] == "TRUE"
  residual <- cases[[name]][2] == "res"
  e <- indProd(d, var1 = c("x1", "x2", "x3"), var2 = c("x4", "x5", "x6"), match = match,
               meanC = !residual, doubleMC = !residual, residualC = residual)
  columns <- setdiff(names(e), names(d))
  model <- paste0("visual =~ x1 + x2 + x3\ntextual =~ x4 + x5 + x6\nspeed =~ x7 + x8 + x9\nproduct =~ ",
                  paste(columns, collapse = " + "), "\nspeed ~ visual + textual + product\n")
  parts <- do.call(rbind, strsplit(columns, "\\."))
  for (i in seq_along(columns)) for (j in seq_along(columns))
    if (i < j && any(parts[i, ] == parts[j, ])) model <- paste0(model, columns[i], " ~~ ", columns[j], "\n")
  if (residual) model <- paste0(model, "product ~~ 0*visual + 0*textual\n")
  f <- sem(model, e)
  # one more start from the optimum, to the last digits
  f <- tryCatch(suppressWarnings({g <- sem(model, e, start = f, optim.method = "BFGS", control = list(reltol = 1e-15, maxit = 5000))
    if (lavInspect(g, "converged")) g else f}), error = function(x) f)
  p <- parameterEstimates(f)
  p <- p[p$op == "~", ]
  out[[name]] <- list(columns = columns, chisq = fitMeasures(f, "chisq")[[1]], df = fitMeasures(f, "df")[[1]],
                      path = p$rhs, est = p$est, se = p$se)
}
out$provenance <- list(R = as.character(getRversion()), lavaan = as.character(packageVersion("lavaan")),
  semTools = as.character(packageVersion("semTools")), data = "holzinger_swineford/holzinger_swineford.csv")
cat(toJSON(out, digits = 12, pretty = TRUE, auto_unbox = TRUE), "\n")
