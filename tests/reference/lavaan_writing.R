# How a lavaan fit becomes a record of tests/reference: polished to the optimum, written as JSON with its provenance.
# Sourced by lavaan_more.R and lavaan_conditional.R, from the root of the repository.

suppressMessages({ library(lavaan); library(jsonlite); library(tools) })
shared <- Sys.getenv("CSI_REFERENCE_DIR", "../shared")
here <- "tests/reference"
lower <- function(x) { x <- unclass(x); if (is.matrix(x)) t(x)[upper.tri(x, diag = TRUE)] else as.vector(x) }
named <- function(t) trimws(paste(t$lhs, t$op, t$rhs))
blocks <- function(x, groups) {
  b <- if (length(groups)) x else list(x)
  if (!is.null(b[[1]]$res.cov)) {  # conditional.x: what exogenous variables leave, and slopes on them
    v <- lapply(b, function(g) list(cov = lower(g$res.cov), th = as.vector(unclass(g$res.th)), slopes = unname(unclass(g$res.slopes))))
    own <- list(names = rownames(b[[1]]$res.cov), given = colnames(b[[1]]$res.slopes), thresholds = names(b[[1]]$res.th))
    return(c(own, if (length(groups)) list(groups = unname(v)) else v[[1]]))
  }
  out <- list(names = rownames(b[[1]]$cov))
  for (k in intersect(c("cov", "mean", "th"), names(b[[1]]))) {
    v <- lapply(b, function(g) lower(g[[k]]))
    out[[k]] <- if (length(groups)) unname(v) else v[[1]]
  }
  if (!is.null(b[[1]]$th)) out$thresholds <- names(b[[1]]$th)
  out
}

put <- function(folder, name, fit, call, file, note = NULL, prefix = "more_", script = "lavaan_more.R", mi = FALSE) {
  groups <- lavInspect(fit, "group.label")
  moved <- isTRUE(attr(fit, "moved"))
  p <- parameterEstimates(fit, standardized = TRUE, remove.nonfree = FALSE)
  keep <- p$op %in% c("=~", "~", "~~", "~1", "|", "~*~", ":=", "<~")
  p <- p[keep, ]
  std <- standardizedSolution(fit)
  std <- std[std$op %in% unique(p$op), ]
  stopifnot(identical(named(p), named(std)))
  par <- list(name = named(p))
  if (length(groups)) par$group <- p$group
  if (any(nzchar(p$label))) par$label <- p$label
  par <- c(par, list(est = p$est, se = p$se, std_lv = p$std.lv, std_all = p$std.all, std_all_se = std$se))
  path <- file.path(shared, "data", file)
  o <- lavInspect(fit, "options")
  kept <- c("estimator", "se", "test", "missing", "information", "likelihood", "meanstructure", "parameterization",
            "std.lv", "fixed.x", "conditional.x", "bounds")
  r <- list(
    source = paste0("tests/reference/", script), record = name,
    software = paste0("lavaan ", packageVersion("lavaan"), " (R ", getRversion(), ")"),
    command = paste0("CSI_REFERENCE_DIR=../shared Rscript tests/reference/", script),
    data = paste0("data/", file), data_sha256 = unname(sha256(path)),
    tolerance = 1e-5,
    why = if (moved) "moved to the optimum by Newton steps; 1e-5 |theta| or 1e-4 SE, fit measures 1e-4 absolute"
          else "lavaan's own stop, good to about 1e-6; 1e-5 |theta| or 1e-4 SE, fit measures 1e-4 absolute",
    call = call, note = note, options = o[intersect(kept, names(o))], syntax = syntax[[name]], groups = groups,
    n = lavInspect(fit, "nobs"), npar = fitMeasures(fit, "npar")[[1]], polished = moved, parameters = par,
    fit = as.list(unclass(fitMeasures(fit))), implied = blocks(fitted(fit), groups)
  )
  r2 <- lavInspect(fit, "rsquare")
  r$r2 <- if (length(groups)) lapply(r2, as.list) else as.list(r2)
  if (mi) {
    m <- modificationIndices(fit)
    r$modification_indices <- c(list(name = named(m)), if (length(groups)) list(group = m$group), list(mi = m$mi, epc = m$epc, sepc_all = m$sepc.all))
  }
  r <- r[lengths(r) > 0]
  dir.create(file.path(here, folder, "lavaan"), recursive = TRUE, showWarnings = FALSE)
  target <- file.path(here, folder, "lavaan", paste0(prefix, name, ".json"))
  text <- vapply(names(r), function(k) paste0(' "', k, '": ', toJSON(r[[k]], digits = NA, auto_unbox = TRUE, na = "null", null = "null")), "")
  writeLines(c("{", paste(text, collapse = ",\n"), "}"), target)
  cat(name, fitMeasures(fit, "chisq"), lavInspect(fit, "converged"), "\n")
}
# Newton steps from lavaan's stop on its own gradient and Hessian; constraints that are not linear, active inequalities
# and bounds stay as lavaan left them.
polished <- function(fun, text, data, args) {
  fit <- suppressWarnings(do.call(fun, c(list(text, data), args)))
  table <- parTable(fit)
  attr(fit, "moved") <- FALSE
  if (any(table$op %in% c("<", ">")) || any(grepl("^", table$rhs[table$op == "=="], fixed = TRUE))) return(fit)
  if (!is.null(args$bounds)) return(fit)
  found <- fit
  for (i in 1:4) {
    x <- coef(found, type = "free")
    K <- found@Model@eq.constraints.K
    if (!length(K) || !found@Model@eq.constraints) K <- diag(length(x))
    g <- drop(lavInspect(found, "gradient"))
    H <- lavInspect(found, "hessian")
    new <- x - drop(K %*% solve(t(K) %*% H %*% K, t(K) %*% g))
    table$est <- table$ustart <- table$start <- ifelse(table$free > 0, new[pmax(table$free, 1)], table$est)
    moved <- c(args, list(optim.method = "none", optim.force.converged = TRUE, check.gradient = FALSE))
    found <- suppressWarnings(do.call(fun, c(list(table, data), moved)))
  }
  g <- drop(t(K) %*% lavInspect(found, "gradient"))
  cat("   gradient", max(abs(drop(t(K) %*% lavInspect(fit, "gradient")))), "->", max(abs(g)), "  change", max(abs(coef(found, type = "free") - coef(fit, type = "free"))), "\n")
  if (max(abs(g)) > 1e-9) stop("not polished")
  attr(found, "moved") <- TRUE
  found
}
sha256 <- function(path) strsplit(system2("sha256sum", path, stdout = TRUE), " ")[[1]][1]
syntax <- list()
fit_as <- function(folder, name, text, file, data, fun = "cfa", ..., note = NULL, prefix = "more_", script = "lavaan_more.R", mi = FALSE) {
  syntax[[name]] <<- text
  said <- substitute(list(...))
  args <- vapply(as.list(said)[-1], function(a) paste(deparse(a, width.cutoff = 500L), collapse = ""), "")
  call <- paste0(fun, "(m, d", if (length(args)) ", ", paste(names(args), args, sep = " = ", collapse = ", "), ")")
  f <- polished(fun, text, data, list(...))
  put(folder, name, f, call, file, note, prefix, script, mi)
  invisible(f)
}
get <- function(file, ...) read.csv(file.path(shared, "data", file), ...)
