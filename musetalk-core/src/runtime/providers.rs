#[cfg(any(feature = "cuda", feature = "directml", feature = "coreml", feature = "openvino"))]
use ort::ep;
use ort::ep::ExecutionProviderDispatch;

use crate::{Device, Error, ErrorKind, Result};

/// The devices that an engine tries for what the host asked, best first, of those this build knows. [`Device::Auto`] ends with
/// the CPU; a named device stands alone. Loads nothing, and does not say which of them start.
pub fn candidates(device: Device) -> Vec<Device> {
    if device != Device::Auto {
        return vec![device];
    }
    let mut devices = Vec::new();
    if cfg!(feature = "cuda") {
        devices.push(Device::Cuda(0));
    }
    if cfg!(feature = "directml") {
        devices.push(Device::DirectMl(0));
    }
    if cfg!(feature = "coreml") {
        devices.push(Device::CoreMl);
    }
    devices.push(Device::Cpu);
    devices
}

/// The execution providers of one device. They fail loudly: a silent fall-back to the CPU is a slow face
/// that nobody can explain.
pub(crate) fn dispatch(device: Device) -> Result<Vec<ExecutionProviderDispatch>> {
    match device {
        Device::Auto | Device::Cpu => Ok(Vec::new()),
        #[cfg(feature = "cuda")]
        Device::Cuda(n) => {
            Ok(vec![ep::CUDA::default().with_device_id(ordinal(n)?).build().error_on_failure()])
        }
        #[cfg(feature = "directml")]
        Device::DirectMl(n) => {
            Ok(vec![ep::DirectML::default().with_device_id(ordinal(n)?).build().error_on_failure()])
        }
        #[cfg(feature = "coreml")]
        Device::CoreMl => Ok(vec![ep::CoreML::default().build().error_on_failure()]),
        #[cfg(feature = "openvino")]
        Device::OpenVino => Ok(vec![ep::OpenVINO::default().build().error_on_failure()]),
        #[cfg(not(all(feature = "cuda", feature = "directml", feature = "coreml", feature = "openvino")))]
        _ => Err(Error::new(
            ErrorKind::Unsupported,
            format!(
                "device {device} is not in this build; build musetalk-core with the feature of that name, or use cpu"
            ),
        )),
    }
}

#[cfg(any(feature = "cuda", feature = "directml"))]
fn ordinal(n: u32) -> Result<i32> {
    i32::try_from(n).map_err(|e| {
        Error::new(ErrorKind::InvalidInput, format!("no device has the ordinal {n}")).caused_by(e)
    })
}
