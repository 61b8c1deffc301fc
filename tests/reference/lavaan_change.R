# Models of change fitted by lavaan: growth, dual change, cross-lagged panels, latent differences of three items.
#
#   CSI_REFERENCE_DIR=../shared Rscript tests/reference/lavaan_change.R
#
# Writes tests/reference/change/lavaan.json: fit measures and the estimates and errors that are read, by label or name.

suppressMessages(library(lavaan))
place <- Sys.getenv("CSI_REFERENCE_DIR")
path <- function(name) file.path(place, "data", name)
sha <- function(name) sub(" .*", "", system(paste("sha256sum", shQuote(path(name))), intern = TRUE))
files <- c(growth = "demo_growth/demo_growth.csv", lcsm = "bi_lcsm/bi_lcsm.csv", long = "semtools/exLong.csv")
rows <- lapply(files, function(f) read.csv(path(f)))
lines <- function(...) paste(c(...), collapse = "\n")

dual <- function(item, waves, v = "", error = paste0("e", v), b = paste0("b", v)) {
  l <- function(t) paste0("l", v, t)
  d <- function(t) paste0("d", v, t)
  later <- 2:waves
  lines(paste0("S", v, " =~ ", paste0("1*", d(later), collapse = " + ")),
    paste0(l(1), " ~ 1"), paste0("S", v, " ~ 1"), paste0(l(1), " ~~ S", v),
    sapply(1:waves, function(t) lines(paste0(l(t), " =~ 1*", item, t), paste0(item, t, " ~~ ", error, "*", item, t), paste0(item, t, " ~ 0*1"))),
    sapply(later, function(t) lines(paste0(l(t), " ~ 1*", l(t - 1)), paste0(d(t), " =~ 1*", l(t)), paste0(l(t), " ~~ 0*", l(t)),
      paste0(d(t), " ~~ 0*", d(t)), paste0(l(t), " ~ 0*1"), paste0(d(t), " ~ 0*1"), paste0(d(t), " ~ ", b, "*", l(t - 1)))))
}
lags <- function(x, y) lines(sapply(2:4, function(t) lines(paste0(x, t, " ~ a*", x, t - 1, " + b*", y, t - 1), paste0(y, t, " ~ c*", x, t - 1, " + d*", y, t - 1))), paste0(x, 1:4, " ~~ ", y, 1:4))
two <- lines("E1 =~ 1*y1t1 + l2*y2t1 + l3*y3t1", "E2 =~ 1*y1t2 + l2*y2t2 + l3*y3t2", "y1t1 ~ 0*1", "y1t2 ~ 0*1", "y2t1 ~ n2*1", "y2t2 ~ n2*1", "y3t1 ~ n3*1", "y3t2 ~ n3*1",
  "y1t1 ~~ y1t2", "y2t1 ~~ y2t2", "y3t1 ~~ y3t2", "E2 ~ 1*E1", "D =~ 1*E2", "E2 ~~ 0*E2", "E2 ~ 0*1", "E1 ~ 1", "D ~ 1", "E1 ~~ D")
three <- lines("E1 =~ 1*y1t1 + l2*y2t1 + l3*y3t1", "E2 =~ 1*y1t2 + l2*y2t2 + l3*y3t2", "E3 =~ 1*y1t3 + l2*y2t3 + l3*y3t3",
  paste0("y1t", 1:3, " ~ 0*1"), paste0("y2t", 1:3, " ~ n2*1"), paste0("y3t", 1:3, " ~ n3*1"),
  paste0("y", 1:3, "t1 ~~ y", 1:3, "t2 + y", 1:3, "t3"), paste0("y", 1:3, "t2 ~~ y", 1:3, "t3"),
  "i =~ 1*E1 + 1*E2 + 1*E3", "s =~ 0*E1 + 1*E2 + 2*E3", paste0("E", 1:3, " ~ 0*1"), "i ~ 1", "s ~ 1", "i ~~ s")
within <- lines("rx =~ 1*x1 + 1*x2 + 1*x3 + 1*x4", "ry =~ 1*y1 + 1*y2 + 1*y3 + 1*y4",
  sapply(1:4, function(t) lines(paste0("wx", t, " =~ 1*x", t), paste0("wy", t, " =~ 1*y", t), paste0("x", t, " ~~ 0*x", t), paste0("y", t, " ~~ 0*y", t))),
  lags("wx", "wy"), "rx ~~ ry", paste0("rx ~~ 0*w", c("x", "y"), "1"), paste0("ry ~~ 0*w", c("x", "y"), "1"))
coupled <- lines(dual("x", 5, "x"), dual("y", 5, "y"), paste0("dx", 2:5, " ~ xi*ly", 1:4), paste0("x", 1:5, " ~~ exy*y", 1:5), "lx1 ~~ ly1", "Sx ~~ Sy", "lx1 ~~ Sy", "ly1 ~~ Sx")

models <- list(
  growth = list("growth", "i =~ 1*t1 + 1*t2 + 1*t3 + 1*t4\ns =~ 0*t1 + 1*t2 + 2*t3 + 3*t4\nt1 + t2 + t3 + t4 ~ 0*1\ni ~ 1\ns ~ 1", c(mean_initial = "i~1", mean_slope = "s~1", variance_initial = "i~~i", variance_slope = "s~~s", covariance = "i~~s")),
  dual = list("growth", dual("t", 4), c(mean_initial = "l1~1", mean_constant = "S~1", proportional = "b")),
  dual_missing = list("lcsm", dual("x", 5), c(mean_initial = "l1~1", mean_constant = "S~1", proportional = "b")),
  coupled = list("lcsm", coupled, c(mean_initial = "lx1~1", mean_constant = "Sx~1", proportional = "bx", coupling = "xi")),
  lagged = list("lcsm", lags("x", "y"), c(keeps = "a", from_other = "b", to_other = "c", other_keeps = "d")),
  within = list("lcsm", within, c(keeps = "a", from_other = "b", to_other = "c", other_keeps = "d", variance_own_A = "rx~~rx", variance_own_B = "ry~~ry", covariance_own = "rx~~ry")),
  difference = list("long", two, c(mean_initial = "E1~1", mean_change = "D~1", variance_initial = "E1~~E1", variance_change = "D~~D", covariance = "E1~~D")),
  growth_of_factors = list("long", three, c(mean_initial = "i~1", mean_slope = "s~1", variance_initial = "i~~i", variance_slope = "s~~s", covariance = "i~~s")))

number <- function(x) format(as.numeric(x), digits = 15)
record <- function(name, estimator) {
  m <- models[[name]]
  f <- suppressWarnings(lavaan::sem(m[[2]], rows[[m[[1]]]], missing = "fiml", meanstructure = TRUE, estimator = estimator))
  p <- parameterEstimates(f)
  label <- if (is.null(p$label)) rep("", nrow(p)) else p$label
  key <- ifelse(label != "", label, paste0(p$lhs, p$op, p$rhs))
  at <- match(m[[3]], key)
  measures <- fitMeasures(f)
  wanted <- if (estimator == "MLR") c(chi2 = "chisq.scaled", df = "df.scaled", cfi = "cfi.robust", rmsea = "rmsea.robust", srmr = "srmr") else c(chi2 = "chisq", df = "df", cfi = "cfi", rmsea = "rmsea", srmr = "srmr")
  fit <- paste0("\"", names(wanted), "\": ", sapply(measures[wanted], number), collapse = ", ")
  values <- paste0("\"", names(m[[3]]), "\": [", sapply(p$est[at], number), ", ", sapply(p$se[at], number), "]", collapse = ", ")
  paste0("  {\"model\": \"", name, "\", \"data\": \"", m[[1]], "\", \"estimator\": \"", estimator, "\", \"fit\": {", fit, "},\n   \"values\": {", values, "}}")
}
found <- c(sapply(names(models), record, "ML"), sapply(c("difference", "growth_of_factors"), record, "MLR"))
head <- paste0("{\n \"software\": \"lavaan ", packageVersion("lavaan"), " (R ", getRversion(), ")\",\n \"command\": \"CSI_REFERENCE_DIR=../shared Rscript tests/reference/lavaan_change.R\",\n",
  " \"call\": \"sem(model, data, missing = \\\"fiml\\\", meanstructure = TRUE, estimator = estimator)\",\n",
  " \"tolerance\": 1e-05,\n \"why\": \"max(1e-5 |theta|, 1e-4 SE) of estimates, 1e-4 absolute of fit measures, 1e-4 relative of errors\",\n",
  " \"data\": {", paste0("\"", names(files), "\": {\"file\": \"data/", files, "\", \"sha256\": \"", sapply(files, sha), "\"}", collapse = ", "), "},\n")
writeLines(paste0(head, " \"records\": [\n", paste(found, collapse = ",\n"), "\n ]\n}"), "tests/reference/change/lavaan.json")
